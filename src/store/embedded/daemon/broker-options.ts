import type { WireError } from '../wire.ts'

export interface BrokerOptions {
  /** The application_name of the daemon's own connections: let in before `admit`, and not counted as clients. */
  readonly internalName: string
  /** Default 30 s. */
  readonly idleInTransactionMs?: number
  /** How long a batch waits for an engine that is being restarted; default 2 s. */
  readonly unavailableMs?: number
  /** The bound on one batch of the daemon itself: a migration or a VACUUM; default 30 min. */
  readonly internalAnswerMs?: number
  /** Called for each new client; an error refuses it. */
  readonly onClient?: (applicationName: string) => WireError | undefined
  readonly onClientBatch?: (applicationName: string) => void
  /** Called after each batch of anybody, with its size. */
  readonly onServed?: (sizeBytes: number) => void
  /** The last client left. */
  readonly onIdle?: () => void
}

export const brokerDefaults = {
  idleInTransactionMs: 30_000,
  unavailableMs: 2_000,
  internalAnswerMs: 30 * 60_000,
  clientsMax: 2_000,
} as const
