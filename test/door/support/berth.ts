import type { Tools } from './tools.ts'

/** A session of three messages whose times, ids and totals are known. */
export async function saveBerth(tools: Tools, sessionId: string): Promise<string> {
  const saved = await tools.saveAll({
    session_id: sessionId,
    messages: [
      { content: 'Which berth did the Marguerite get?', sender: 'Ada', timestamp: '2025-03-01T10:00:00Z' },
      {
        content: [
          { type: 'text', text: 'I look it up.' },
          { type: 'tool_use', id: 't1', name: 'harbour_lookup', input: { ship: 'Marguerite' } },
        ],
        sender: 'clerk',
        model: 'model-a',
        tokens: { input: 120, output: 30, cache_read: 7 },
        timestamp: '2025-03-01T10:00:05Z',
      },
      {
        content: 'Berth 14, until Friday.',
        sender: 'clerk',
        model: 'model-b',
        tokens: { input: 10, output: 5 },
        timestamp: '2025-03-01T10:00:09Z',
      },
    ],
  })
  return saved.session_id
}

/** A session of a question and what was decided, by somebody and a model. */
export async function saveDecision(tools: Tools, sessionId: string): Promise<void> {
  await tools.saveAll({
    session_id: sessionId,
    messages: [
      { content: 'Which berth did the Marguerite get?', sender: 'Ada', timestamp: '2025-03-01T10:00:00Z' },
      {
        content: 'We decided: the Marguerite gets berth 14.',
        sender: 'clerk',
        model: 'model-a',
        tokens: { input: 12, output: 9 },
        timestamp: '2025-03-01T10:00:09Z',
      },
    ],
  })
}
