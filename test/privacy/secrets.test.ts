import { describe, expect, it } from 'vitest'

import { secrets } from '../../src/privacy/secrets/secrets.ts'

const found = (text: string) => secrets(text).map(({ start, end }) => text.slice(start, end))
/** Put together here, so that no scanner takes this file for a leak. */
const token = (prefix: string, body: string) => `${prefix}${body}`

describe('secrets()', () => {
  it.each([
    ['a GitHub token', token('ghp_', 'A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8')],
    ['an AWS key', token('AKIA', 'Y3FDM5BLQZX72WKT')],
    ['a Slack token', token('xoxb-', '2048174639-8164720395-kQ7wZr2LpX9vTn4B')],
    ['a Stripe key', token('sk_live_', '4eC39HqLyjWDarjtT1zdp7dc')],
    ['a token of JSON', token('eyJhbGciOiJIUzI1NiJ9', '.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N')],
    ['a secret of Google OAuth', token('GOCSPX-', 'wsAHHBr86U0hEceXCkUhrxMDsC_8')],
    ['a newer key of Google', token('AQ.', 'aDi2wB4nnbnVEAOcqAGwPV9CaP3Bie5XKcRvspp1cNCQlPtKo')],
    ['a token of Azure DevOps', token('', `${'63a4XqUVnqZPL6a7qlE'.repeat(4)}AZDOuC8A`)],
    ['a key of OpenRouter', token('sk-or-v1-', '330fb104c4d236e824e391e3a0a487ce80e4c49126610ff11a6d9b8f149ef5ed')],
    ['a key of DeepSeek', token('sk-', 'b5e589bc1e33991560d6bdc0288f957f')],
    ['a key of Groq', token('gsk_', 'QfAweXbwg7epWAHYKr2ghEWZtdaGglp4p8Qwxo1lnn5LLGJI4Yli')],
    ['a key of xAI', token('xai-', 'MT8OaUBWOtI6jefZJiXzzOgkeDQz1y5Cra3ewxVvLi6fDs63Kivo9RxzR2ijacnA')],
    ['a token of Replicate', token('r8_', 'ALDUICzDMu6jDHTYqvRj5jk9hDQFIYpmuaEh4')],
    ['a key of NVIDIA', token('nvapi-', 'LkyJ7aQfRP8VrsRlc1BbqXdpO_aYQhI4H36W0U8OoAXhlMXVyK0nYz0BCutj4v8S')],
    ['a key of Pinecone', token('pcsk_', 'XWDQH9_C50WUwrOKe3x7PUjZmrngkhC3d39iR1H0drPhBKeEkyGGLpGoYNxtU8xP5mdZ9MG')],
    ['a key of Langfuse', token('sk-lf-', '694804a7-7f3e-4d3b-afb7-c8ac2e71da50')],
    ['a token of Supabase', token('sbp_', 'a484dba9f7974620de1c19aa1f2e608236126bc9')],
    ['a key of Resend', token('re_', 'EmtRJPzN_0XjZRsPeWZJfSVpPooCEIwsF')],
    ['a key of Mailchimp', token('c6176e9909a48887d5287ffc07f2c18d', '-us14')],
    ['a token of Docker', token('dckr_pat_', '0Pl3f-B-ra55hwHI_p224Shti28')],
    ['a bot of Discord', token('MNPqX6c0w9OATrT3nr4JlR3g', '.4rzgxJ.mGoyufetr-0Wo4HdPsgICQNHKZA1tYUNszKDeZ')],
    ['a token of Figma', token('figd_', 'vjHkSgVTIRr89Qlbq-UCcpOyf1ueeKhWZYZiqmbO')],
    ['a key of Tailscale', token('tskey-auth-', 'WXaxKivvKzOA-9lqmi6MX3uVmXt1xtCAn5PV3uyWOP59H')],
    ['a key of Razorpay', token('rzp_live_', 'cqpw6LdYIO0rpO')],
    ['a token of CircleCI', token('CCIPAT_', 'Rbs585l1V7RXx60JFRTLi9_a7b2feb8ee3a396023817f0af8142114ab4d61fb')],
  ])('finds %s by its form', (_, secret) => {
    expect(found(`here: ${secret} is it`)).toContain(secret)
  })

  it.each([
    ['DATADOG_API_KEY=9f3c1a7be2d84f60a5c9e7d1b3f8a2c64e5d7f90', '9f3c1a7be2d84f60a5c9e7d1b3f8a2c64e5d7f90'],
    ['{"client_secret": "hT7-kq2Zp0xWv9Lm3Rb8"}', 'hT7-kq2Zp0xWv9Lm3Rb8'],
    ["password = 'c0rrect-h0rse-9'", 'c0rrect-h0rse-9'],
    ['postgres://app:s3cr3t-Pw@db.local/app', 's3cr3t-Pw'],
    ['curl -H "Authorization: Bearer q8Zt4Lw1Xc7Vb2Nm" https://x', 'q8Zt4Lw1Xc7Vb2Nm'],
    ["curl -u 'anna:k9-Xw2p' https://x", "'anna:k9-Xw2p'"],
    ['aws_secret_access_key = /fciCtM2oj4cYMig6Bc/JN4md8ohNvf0VQpJzJgI', '/fciCtM2oj4cYMig6Bc/JN4md8ohNvf0VQpJzJgI'],
    ['TWILIO_AUTH_TOKEN=115857587dc6b0d65b37c4ad5dd7b546', '115857587dc6b0d65b37c4ad5dd7b546'],
    [
      'AccountName=foo;AccountKey=i0E7YdT8Ow63oYoAM2qHkrXwQ0ojkvkiQT0NJgRFDl8=',
      'i0E7YdT8Ow63oYoAM2qHkrXwQ0ojkvkiQT0NJgRFDl8=',
    ],
    [
      'https://x.blob.core.windows.net/c?sig=V8COCIgCtb15YYkCcH5hwlx8djQcQwp6Mme79aaZu4I%3D',
      'V8COCIgCtb15YYkCcH5hwlx8djQcQwp6Mme79aaZu4I%3D',
    ],
    ['//registry.npmjs.org/:_authToken=bf558c62-a811-4c8b-a814-e21062b918bf', 'bf558c62-a811-4c8b-a814-e21062b918bf'],
    ['mongodb+srv://user:KvpizXFGeVLn@cluster0.ab1cd.mongodb.net/db', 'KvpizXFGeVLn'],
    ['machine github.com login bob password 6ZIy7qO2qs5y6B5J', '6ZIy7qO2qs5y6B5J'],
    ['my password is Tr0ub4dor&3.', 'Tr0ub4dor&3'],
    ['The password: correct-horse-9-Battery', 'correct-horse-9-Battery'],
    [`'secret_key' => 'sk_${'z+~tCH&Hg=BPD)'.repeat(2)}1'`, `sk_${'z+~tCH&Hg=BPD)'.repeat(2)}1`],
    ['pwd=RzN9XSg0yagy;', 'RzN9XSg0yagy'],
    ['sshpass -p S9fIfE0kS4 ssh root@h', 'S9fIfE0kS4'],
    ['Cookie: a=b; sessionid=ihlxm2td50fdiykk81mku9erhr2j7xmw', 'ihlxm2td50fdiykk81mku9erhr2j7xmw'],
    ['otpauth://totp/x:a@b.c?secret=NHYTIODHZNDTEER623ZUJFB6KDNACBNG&issuer=x', 'NHYTIODHZNDTEER623ZUJFB6KDNACBNG'],
    [
      'seed phrase: legal winner thank year wave sausage worth useful legal winner thank yellow',
      'legal winner thank year wave sausage worth useful legal winner thank yellow',
    ],
    [
      'seed phrase: legal winner thank year wave sample worth useful legal winner thank yellow',
      'legal winner thank year wave sample worth useful legal winner thank yellow',
    ],
  ])('finds it in %s', (text, secret) => {
    expect(found(text)).toContain(secret)
  })

  it('takes a private key whole', () => {
    const key = `-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n'.repeat(6)}-----END PRIVATE KEY-----`
    expect(found(`a\n${key}\nb`)).toContain(key)
  })

  const block = (body: string, kind = '') => `-----BEGIN ${kind}PRIVATE KEY-----${body}-----END ${kind}PRIVATE KEY-----`
  it.each([
    ['of a short body', block('\nMIIabc\n')],
    ['of one letter', block('\nM\n', 'RSA ')],
    ['of two lines', block('\r\nMC4CAQAwBQ\r\nDK2Vw==\r\n', 'EC ')],
    ['whose lines are those of a string', block('\\nMC4CAQ\\n')],
    ['in one line', block('MC4CAQAwBQ')],
    ['in one line with blanks', block(' MC4CAQAwBQ ')],
    ['that is quoted', block('\n> MC4CAQAwBQ\n> ')],
    ['of OpenPGP', '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQHYBF=\n-----END PGP PRIVATE KEY BLOCK-----'],
  ])('takes a private key %s, and no more', (_, key) => {
    expect(found(key)).toEqual([key])
    expect(found(`It is ${key} and ${'so it goes on '.repeat(10)}`)).toEqual([key])
  })

  it('takes a private key whose end was cut off', () => {
    expect(found('-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ')).toHaveLength(1)
  })

  it.each([
    `A file with -----BEGIN PRIVATE KEY----- in its first line ${'is a key, and is kept where nobody reads it. '.repeat(3)}`,
    `-----BEGIN PRIVATE KEY-----\n${'and so it goes on, in more than a few words. '.repeat(3)}`,
    block(' and '),
    block('\nand '),
    block('" and "'),
    block('\nand\n'),
    block('\nthe base64 data\n'),
    block(' base64 '),
    block('\n...\n'),
    block('\n<your key>\n'),
    block(''),
    block('\n\n'),
    block(` comes first, then ${'lines of letters and digits, '.repeat(4)}and last `),
    'if (text.includes("-----BEGIN PRIVATE KEY-----")) throw new Error("A private key does not belong into a message of a user")',
  ])('takes no private key from %j, which only names one', (text) => {
    expect(found(text)).toEqual([])
  })

  const value = (seed: string) => Buffer.from(`${seed}: of a key, and long`.repeat(2)).toString('base64url')
  const modulus = Buffer.alloc(256, 'modulus 7').toString('base64url')
  const rsa = { kty: 'RSA', n: modulus, e: 'AQAB' }
  const [d, p, q, dp, dq, qi] = ['d', 'p', 'q', 'dp', 'dq', 'qi'].map(value)
  const [x, y, k] = [value('x'), value('y'), 'GawgguFyGrWKav7AX4VKUg']

  it.each([
    ['RSA', { ...rsa, d, p, q, dp, dq, qi }, [d, p, q, dp, dq, qi]],
    ['RSA, its type last', { qi, d, n: modulus, e: 'AQAB', kty: 'RSA' }, [qi, d]],
    ['EC', { kty: 'EC', crv: 'P-256', x, y, d, kid: 'one' }, [d]],
    ['OKP', { d, x, crv: 'Ed25519', kty: 'OKP' }, [d]],
    ['oct', { kty: 'oct', k, alg: 'HS256' }, [k]],
    ['oct, short', { k: 'c2VjcmV0MQ', kty: 'oct' }, ['c2VjcmV0MQ']],
    [
      'a set, whose public ones stay',
      { keys: [{ kty: 'EC', x, y }, { kty: 'oct', k }, rsa, { kty: 'EC', d, x }] },
      [k, d],
    ],
  ])('takes the secret members of a JSON web key: %s', (_, key, expected) => {
    const compact = JSON.stringify(key)
    const python = compact.replaceAll('"', "'").replaceAll(':', ': ')
    const node = compact.replaceAll(/"(\w+)":"/gu, "$1: '").replaceAll('"', "'")
    for (const text of [compact, JSON.stringify(key, null, 2), JSON.stringify({ out: compact }), python, node])
      expect(found(`Here: ${text}, so keep it`)).toEqual(expected)
  })

  it('takes those of one whose end was cut off', () => {
    expect(found(`{"kty":"EC","x":"${x}","d":"${value('d').slice(0, 30)}`)).toEqual([value('d').slice(0, 30)])
  })

  it.each([
    JSON.stringify(rsa),
    JSON.stringify({ kty: 'EC', crv: 'P-256', x, y }),
    JSON.stringify({ d, p, q, k }),
    JSON.stringify({ keys: [rsa], other: { d, k } }),
    JSON.stringify({ kty: 'EC', k, p, inner: { d } }),
    '{"kty":"RSA","d":"base64url-encoded private exponent","p":"<p>"}',
    '{"kty":"oct","k":"your-base64url-key-of-32-bytes"}',
  ])('takes no JSON web key from %s', (text) => {
    expect(found(text)).toEqual([])
  })

  it.each([
    'const token = process.env.GITHUB_TOKEN',
    'apiKey: settings.apiKey, key: row.primaryKey',
    'password = "your-password-here" and token: <YOUR_TOKEN>',
    'Authorization: Bearer $TOKEN',
    'postgres://user:password@localhost/db',
    'max_tokens: 1234567890, cache_key="session_2024_start"',
    'commit 9f3c1a7be2d84f60a5c9e7d1b3f8a2c64e5d7f90',
    '"sessionId": "0191c1d0-6f3e-7b5a-9d2c-1f4e5a6b7c8d"',
    token('AKIA', 'IOSFODNN7EXAMPLE'),
    'the password is required, my password is secret and the new password: see below',
    'password: user.password1, passwordHash: hashOf(password2)',
    'tokenFile=/Users/JohnDoe/Projects2/MyApp/keys/prod',
    'postgres://app:myPassword@localhost/db',
    'const id: string = "bf558c62-a811-4c8b-a814-e21062b918bf"',
    'secret_manager_client_for_all_the_regions_that_there_are',
    'The password is base64-encoded, and the passphrase is sha256-hashed.',
  ])('takes nothing from %s', (text) => {
    expect(found(text)).toEqual([])
  })
})

describe('passwords beside words for them', () => {
  it.each([
    ['mein Kennwort: Fruehling2024!', 'Fruehling2024!'],
    ['la contraseña: Perro$2023x', 'Perro$2023x'],
    ['mot de passe : Bonjour#2022', 'Bonjour#2022'],
    ['пароль: Секрет12345', 'Секрет12345'],
    ['パスワードは hunter2xyz です', 'hunter2xyz'],
    ['密码是hunter2xyz。', 'hunter2xyz'],
    ['비밀번호는 hunter2xyz 입니다', 'hunter2xyz'],
    ['hasło do serwera: wiosna2024x', 'wiosna2024x'],
    ['run with password=hunter2hunter2 now', 'hunter2hunter2'],
    ['password is hunter2Zq9!', 'hunter2Zq9!'],
    ['The password is hunter2Zq9!#', 'hunter2Zq9!#'],
    ['my password is hunter2Zq9! Keep it.', 'hunter2Zq9!'],
    ['my password is hunter2Zq9!.', 'hunter2Zq9!'],
    ['my password is "hunter2Zq9!"', 'hunter2Zq9!'],
    ['(the password is hunter2Zq9!)', 'hunter2Zq9!'],
    ['The password: hunter2Zq9!', 'hunter2Zq9!'],
    ['db_password: hunter2Zq9xB!', 'hunter2Zq9xB!'],
    ["password = 'hunter2Zq9!'", 'hunter2Zq9!'],
    ['my password is hunter2Zq9.', 'hunter2Zq9'],
    ['my password is hunter2Zq9, is it?', 'hunter2Zq9'],
    ['(my password is hunter2Zq9)', 'hunter2Zq9'],
    ['my password is hunter2Zq9?', 'hunter2Zq9'],
    ['my password is hunter2Zq9 !', 'hunter2Zq9'],
    ['postgresql://app:Zk39fjQ2xx@db.internal.example.com:5432/app', 'Zk39fjQ2xx'],
    ['postgresql://app:P@ssw0rd19@db.internal.example.com:5432/app', 'P@ssw0rd19'],
  ])('are found whole in "%s"', (text, value) => {
    expect(found(text)).toContain(value)
  })

  it.each([
    'password=config.value2',
    'login(password=password1)',
    'passwort: <dein Passwort>',
    'contraseña: 8 caracteres como mínimo',
    'パスワードは必須です',
    'password=read_secret2(path)',
    'mot de passe : obligatoire',
  ])('are not taken for one in "%s"', (text) => {
    expect(found(text)).toEqual([])
  })
})
