/** What postgres.js is given to reach the daemon; add `max` and the like. */
export interface ConnectionOptions {
  readonly path: string
  readonly user: string
  readonly database: string
  readonly connection: { readonly application_name: string }
}

export function connectionOptionsOf(socketPath: string, applicationName: string): ConnectionOptions {
  return {
    path: socketPath,
    user: 'postgres',
    database: 'postgres',
    connection: { application_name: applicationName },
  }
}
