import { describe, expect, it } from 'vitest'

import { detect } from '../../src/privacy/detect.ts'
import type { DataType } from '../../src/privacy/detection.ts'
import { nothingExamples, structuredExamples } from './structured-examples.ts'

async function found(text: string, type: DataType): Promise<string[]> {
  return (await detect(text)).filter((one) => one.type === type).map(({ start, end }) => text.slice(start, end))
}

const there: readonly (readonly [DataType, string, string])[] = [
  ['payment_card', 'Block my card 4111 1111 1111 1111 please', '4111 1111 1111 1111'],
  ['payment_card', 'amex 378282246310005 expires', '378282246310005'],
  ['iban', 'Pay to DE89 3704 0044 0532 0130 00 today', 'DE89 3704 0044 0532 0130 00'],
  ['iban', 'iban gb82west12345698765432', 'gb82west12345698765432'],
  ['email', 'write to anna.kovács+x@példa.hu, please', 'anna.kovács+x@példa.hu'],
  ['phone', 'ring +44 20 7946 0958 now', '+44 20 7946 0958'],
  ['phone', 'My mobile is 0650 995 04 94.', '0650 995 04 94'],
  ['phone', 'Call (415) 555-2671 or not', '(415) 555-2671'],
  ['phone', 'Telefon: 030/1234567', '030/1234567'],
  ['network_address', 'blocked 86.231.85.193 again', '86.231.85.193'],
  ['network_address', 'from 3b20:9a3a:1b2f:7ce:9ef1:4787:85fc:261e at', '3b20:9a3a:1b2f:7ce:9ef1:4787:85fc:261e'],
  ['network_address', 'its card is 00:1b:44:11:3a:b7', '00:1b:44:11:3a:b7'],
  ['national_id', 'my SSN: 455-97-2191', '455-97-2191'],
  ['national_id', 'social security 455 97 2191', '455 97 2191'],
  ['national_id', 'NI number QQ123456C'.replace('QQ', 'AB'), 'AB123456C'],
  ['national_id', 'DNI 12345678Z', '12345678Z'],
  ['national_id', 'CF RSSMRA85T10A562S', 'RSSMRA85T10A562S'],
  ['national_id', 'CPF 529.982.247-25', '529.982.247-25'],
  ['national_id', 'Steuer-ID 86 095 742 719', '86 095 742 719'],
  ['national_id', 'NIR 1 84 12 76 451 089 46', '1 84 12 76 451 089 46'],
  ['national_id', 'Aadhaar 2341 2341 2346', '2341 2341 2346'],
  ['national_id', 'PESEL 44051401359', '44051401359'],
  ['national_id', 'pnr 811228-9874', '811228-9874'],
  ['national_id', 'BSN 111222333', '111222333'],
  ['national_id', 'SIN 046 454 286', '046 454 286'],
  ['national_id', 'NHS number 943 476 5919', '943 476 5919'],
  ['record_number', 'an application (no. 18403/91) against', '18403/91'],
  ['record_number', "My driver's license number is A56319335", 'A56319335'],
  ['record_number', 'passport no. C01X00T47', 'C01X00T47'],
  ['date_of_birth', 'She was born on 12/15/1995. Her', '12/15/1995'],
  ['date_of_birth', 'Date of birth: 3 May 1961', '3 May 1961'],
  ['date_of_birth', 'geboren am 3. März 1961', '3. März 1961'],
  ['website', 'My website is https://anna-k.example.org/', 'https://anna-k.example.org/'],
  ['website', 'see https://www.linkedin.com/in/anna-k for more', 'https://www.linkedin.com/in/anna-k'],
  ['address', 'send it to 221b Baker Street in', '221b Baker Street'],
  ['address', 'wohnt Lindenstraße 12 in', 'Lindenstraße 12'],
  ['place', 'I am in Portugal now', 'Portugal'],
  ['person', 'by Mrs Anna Evagorou Christou (“the', 'Mrs Anna Evagorou Christou'],
  ['person', 'by a Turkish national, Hakkı Karadavut (“the applicant”)', 'Hakkı Karadavut'],
  ['person', 'my name is anna kovacs', 'anna kovacs'],
  ['person', 'We met Robert Smith at noon.', 'Robert Smith'],
]

describe('detect()', () => {
  it.each(there)('finds %s in "%s"', async (type, text, value) => {
    expect(await found(text, type)).toContain(value)
  })

  it.each(structuredExamples)('finds %s of other countries in "%s"', async (type, text, value) => {
    const detections = (await detect(text)).filter((one) => one.type === type)
    const [from, to] = [text.indexOf(value), text.indexOf(value) + value.length]
    expect(detections.some(({ start, end }) => start <= from && end >= to)).toBe(true)
  })

  it.each(nothingExamples)('takes nothing for %s in "%s"', async (type, text) => {
    expect(await found(text, type)).toEqual([])
  })

  it.each<readonly [DataType, string]>([
    ['payment_card', 'the id 4111111111111112 has a wrong check digit'],
    ['payment_card', 'at 1716239022000 ms'],
    ['iban', 'DE89 3704 0044 0532 0130 01'],
    ['phone', 'from 2024-05-12 to 2024-06-13'],
    ['phone', 'it took 123456 ms, 1024 x 768 pixels'],
    ['phone', 'commit 1234567 of pull request 8901'],
    ['network_address', 'v1.2.3.4 and version 10.2.3.4, listening on 127.0.0.1 and std::a::be'],
    ['network_address', 'at 12:30:45:00 sharp'],
    ['national_id', 'the range 000-12-3456'],
    ['national_id', 'DNI 12345678A'],
    ['date_of_birth', 'released on 12/15/1995'],
    ['website', 'see https://nodejs.org/api/'],
    ['email', 'git clone git@github.com:owner/name.git'],
    ['person', 'const user = await readUser(id)'],
    ['record_number', 'see issue no. 6 and case 3'],
  ])('takes no %s from "%s"', async (type, text) => {
    expect(await found(text, type)).toEqual([])
  })

  it('takes the password of an address for a secret, and no part of it for an e-mail address', async () => {
    for (const password of ['Zk39fjQ2xx', 'pa$$w0rd'])
      expect((await detect(`postgresql://app:${password}@db.example.com/app`)).map(({ type }) => type)).toEqual([
        'secret',
      ])
    expect((await detect('mailto:ann@posteo.de')).map(({ type }) => type)).toEqual(['email'])
  })

  it('finds a name again by one of its words, and not a word that is also written small', async () => {
    const text = 'Mr Karl Strobel wrote. Later Strobel came. Mr Will Green will go; the green door; Green'
    expect(await found(text, 'person')).toEqual(expect.arrayContaining(['Mr Karl Strobel', 'Strobel']))
    expect((await found(text, 'person')).filter((name) => name === 'Green')).toEqual([])
  })

  it('answers in order, without overlaps and within the text', async () => {
    const text = there.map(([, sentence]) => sentence).join('\n')
    const detections = await detect(text)
    expect(detections.length).toBeGreaterThan(there.length * 0.8)
    for (const [at, { start, end }] of detections.entries()) {
      expect(start).toBeLessThan(end)
      expect(start).toBeGreaterThanOrEqual(detections[at - 1]?.end ?? 0)
    }
    expect(detections.at(-1)?.end).toBeLessThanOrEqual(text.length)
  })
})
