import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A field of a protocol buffer: numbers as varints, everything else with its length. */
function field(number: number, value: number | string | Uint8Array): Buffer {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)])
  const bytes = Buffer.from(value)
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes])
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

/** A tensor of named dimensions: 1 for 32-bit numbers, 7 for 64-bit integers. */
function tensorInfo(name: string, elementType: number, dimensions: readonly (string | number)[]): Buffer {
  const shape = dimensions.map((one) => field(1, typeof one === 'number' ? field(1, one) : field(2, one)))
  const tensor = Buffer.concat([field(1, elementType), field(2, Buffer.concat(shape))])
  return Buffer.concat([field(1, name), field(2, field(1, tensor))])
}

/**
 * An ONNX model by hand that looks up the numbers of each token in a table, [tokens, labels]: what a model for token classification
 * gives, without what lies between.
 */
function lookUpModel(table: readonly (readonly number[])[]): Buffer {
  const labels = table[0]?.length ?? 0
  const values = Buffer.from(new Float32Array(table.flat()).buffer)
  const weights = Buffer.concat([
    field(1, table.length),
    field(1, labels),
    field(2, 1),
    field(8, 'table'),
    field(9, values),
  ])
  const gather = Buffer.concat([field(1, 'table'), field(1, 'input_ids'), field(2, 'logits'), field(4, 'Gather')])
  const graph = Buffer.concat([
    field(1, gather),
    field(2, 'names'),
    field(5, weights),
    field(11, tensorInfo('input_ids', 7, [1, 'tokens'])),
    field(12, tensorInfo('logits', 1, [1, 'tokens', labels])),
  ])
  return Buffer.concat([field(1, 8), field(7, graph), field(8, Buffer.concat([field(1, ''), field(2, 13)]))])
}

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]']

/** Writes a directory with a model that gives the words of `labelled` their labels, and all others `O`. */
export async function writeNamesModel(
  directory: string,
  labelled: Readonly<Record<string, string>>,
  { tokensMax = 512 }: { readonly tokensMax?: number } = {},
): Promise<string> {
  const labels = ['O', ...new Set(Object.values(labelled))]
  const vocabulary = [...special, ...Object.keys(labelled)]
  const rows = vocabulary.map((word) => labels.map((label) => (label === (labelled[word] ?? 'O') ? 1 : 0)))
  const around = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
  const tokenizer = {
    version: '1.0',
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: null,
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: [around('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, around('[SEP]')],
      pair: [],
      special_tokens: Object.fromEntries(
        ['[CLS]', '[SEP]'].map((id) => [id, { id, ids: [special.indexOf(id)], tokens: [id] }]),
      ),
    },
    decoder: null,
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((word, id) => [word, id])),
    },
  }
  const config = {
    model_type: 'bert',
    max_position_embeddings: tokensMax,
    id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
  }
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, 'model.onnx'), lookUpModel(rows))
  await writeFile(join(directory, 'tokenizer.json'), JSON.stringify(tokenizer))
  await writeFile(join(directory, 'config.json'), JSON.stringify(config))
  return directory
}
