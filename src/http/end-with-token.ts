/** How often it is looked whether what let a listener in is still good; the answer of the store may be 5 seconds old. */
const lookMs = 2_000

/**
 * The same answer; where it is a stream, one that ends within some seconds when `isStillGood` says no. Other answers are over
 * at once.
 */
export function endWithToken(answer: Response, isStillGood: () => Promise<boolean>): Response {
  if (answer.body === null || !isEventStream(answer)) return answer
  const reader: ReadableStreamDefaultReader<Uint8Array> = answer.body.getReader()
  const timer = setInterval(() => {
    void isStillGood().then(
      (isGood) => (isGood ? undefined : end()),
      // What cannot be checked is not good.
      () => end(),
    )
  }, lookMs).unref()
  const end = async (reason?: unknown): Promise<void> => {
    clearInterval(timer)
    // Ends what was watched for the listener too. The stream may be over already.
    await reader.cancel(reason).catch(() => undefined)
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
      } catch (error) {
        clearInterval(timer)
        throw error
      }
      clearInterval(timer)
      return controller.close()
    },
    cancel: end,
  })
  return new Response(body, { status: answer.status, headers: answer.headers })
}

function isEventStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false
}
