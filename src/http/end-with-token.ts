/** How often it is looked whether what let a listener in is still good; the answer of the store may be 5 seconds old. */
const lookMs = 2_000

/** Whose stream it is. */
export interface StreamOwner {
  readonly isStillGood: () => Promise<boolean>
  /** What is to be called when it is over; an answer where the stream is not to be opened. */
  readonly open: () => (() => void) | Response
}

/**
 * The same answer; where it is a stream, one that ends within some seconds when `isStillGood` says no. Other answers are over
 * at once.
 */
export async function endWithToken(answer: Response, owner: StreamOwner): Promise<Response> {
  // The kind first: to look at the body of an answer that is whole would make a stream of it.
  if (!isEventStream(answer) || answer.body === null) return answer
  const reader: ReadableStreamDefaultReader<Uint8Array> = answer.body.getReader()
  // Ends what was watched for the listener too. The stream may be over already.
  const cancel = (reason?: unknown) => reader.cancel(reason).catch(() => undefined)
  const opened = owner.open()
  if (opened instanceof Response) {
    await cancel()
    return opened
  }
  const timer = setInterval(() => {
    void owner.isStillGood().then(
      (isGood) => (isGood ? undefined : end()),
      // What cannot be checked is not good.
      () => end(),
    )
  }, lookMs).unref()
  let isOver = false
  const over = () => {
    clearInterval(timer)
    if (!isOver) opened()
    isOver = true
  }
  const end = async (reason?: unknown): Promise<void> => {
    over()
    await cancel(reason)
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
      } catch (error) {
        over()
        throw error
      }
      over()
      return controller.close()
    },
    cancel: end,
  })
  return new Response(body, { status: answer.status, headers: answer.headers })
}

function isEventStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false
}
