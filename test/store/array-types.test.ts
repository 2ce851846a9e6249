import fc from 'fast-check'
import { expect, test } from 'vitest'

import { parseArray, serializeArray } from '../../src/store/array-types.ts'

test('parseArray() reads what serializeArray() writes', () => {
  const element = fc.oneof(fc.string({ unit: 'binary' }), fc.constant(null))
  fc.assert(
    fc.property(fc.array(element), (values) => {
      expect(parseArray(serializeArray(values))).toEqual(values)
    }),
  )
})

test("parseArray() reads PostgreSQL's own form: bare words, NULL, quoted and nested", () => {
  expect(parseArray('{}')).toEqual([])
  expect(parseArray('{1,NULL,"NULL",a b,"c,\\"d\\\\"}')).toEqual(['1', null, 'NULL', 'a b', 'c,"d\\'])
  expect(parseArray('{{1,2},{3,4}}', Number)).toEqual([
    [1, 2],
    [3, 4],
  ])
})
