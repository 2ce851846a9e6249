import type { TextStretch } from './asserted.ts'

/** Quotation marks and marks of code, each with what it encloses; one that nothing closes reaches to the end. An apostrophe opens nothing. */
const passage =
  /"[^"]*(?:"|$)|`[^`]*(?:`|$)|[“„‟][^“”‟]*(?:[“”‟]|$)|«[^»]*(?:»|$)|»[^«]*(?:«|$)|‹[^›]*(?:›|$)|「[^」]*(?:」|$)|『[^』]*(?:』|$)|(?<![\p{L}\p{N}])['‘‚](?=\S)[\s\S]{0,600}?\S['’‘](?![\p{L}\p{N}])/gu

/** What stands in quotation marks or in inline code, the marks included, as far as the text shows it. */
export function quotedIn(text: string): TextStretch[] {
  return [...text.matchAll(passage)].map(({ 0: found, index }) => ({ start: index, end: index + found.length }))
}

/** Whether what begins at a place of a text is quoted. */
export function isQuoted(text: string, at: number): boolean {
  return quotedIn(text).some(({ start, end }) => start < at && at < end)
}
