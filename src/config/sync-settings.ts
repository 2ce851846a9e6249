import { z } from 'zod'

export const syncSettingsShape = {
  VERBATIM_SYNC_TOKEN: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The access token that `verbatim sync` shows to the other store: made there with `verbatim token create --name sync --scopes read,write,delete,export,admin`',
    ),
}
