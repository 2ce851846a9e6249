import { before, detectionsOf, type Detector } from '../detection.ts'

const ownCue =
  /(?:\b(?:my|his|her|their|our|personal)\s+(?:own\s+)?(?:web ?site|home ?page|site|blog|profile|page)(?:\s+is)?|\bweb ?site\s*:|posted an? (?:photo|picture|video)|shared [\w ]{1,20} with (?:you|me|us|them|everyone)|(?:find|follow|visit|reach) (?:me|us|him|her|them) (?:at|on|under)|\bportfolio)\s*:?\s{0,3}$/iu
const profile =
  /^https?:\/\/(?:[\w-]{1,20}\.)?(?:linkedin\.com\/in|facebook\.com|instagram\.com|twitter\.com|x\.com|t\.me|tiktok\.com\/@)\//iu

/** Pages of a person: profiles, and what is called somebody's own. Other addresses of the web are nobody's data. */
export const websites: Detector = (text) =>
  detectionsOf(text, {
    type: 'website',
    pattern: /(?<![\w/])(?:https?:\/\/|www\.)[^\s<>"'`()[\]{}]{4,300}/giu,
    confidence: 0.85,
    accepts: (found, place) => profile.test(found) || ownCue.test(before(place, 40)),
  })
