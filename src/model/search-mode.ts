/** By what messages are found: by both, by their meaning alone, or by their words alone. */
export const searchModes = ['hybrid', 'semantic', 'full_text'] as const

export type SearchMode = (typeof searchModes)[number]
