import { CircuitState as State, type CircuitBreakerPolicy } from 'cockatiel'

import type { CircuitState } from '../ports/observer.ts'

/** Tells in which state a circuit breaker is, and each state that it comes to. */
export function tellCircuit(breaker: CircuitBreakerPolicy, changed: (state: CircuitState) => void): void {
  changed('closed')
  breaker.onStateChange((state) => changed(nameOf(state)))
}

function nameOf(state: State): CircuitState {
  switch (state) {
    case State.HalfOpen:
      return 'half_open'
    case State.Open:
    case State.Isolated:
      return 'open'
    case State.Closed:
      return 'closed'
    default:
      return state satisfies never
  }
}
