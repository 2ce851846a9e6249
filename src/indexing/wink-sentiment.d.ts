/** The package ships no types. */
declare module 'wink-sentiment' {
  function sentiment(phrase: string): { readonly score: number; readonly normalizedScore: number }
  export = sentiment
}
