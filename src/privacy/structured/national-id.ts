/** The number of a country for persons: how it looks, and what tells it from others. */
export interface NationalId {
  readonly pattern: RegExp
  /** Where the form alone is that of many numbers: the words that must stand before it. */
  readonly cue?: RegExp
  readonly isValid?: (found: string) => boolean
}
