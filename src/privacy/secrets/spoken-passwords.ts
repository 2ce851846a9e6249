/** "Password" in languages other than English, in whose code the word seldom stands. */
const words =
  'kennwort|passwort|contraseña|clave|mot de passe|senha|palavra-passe|wachtwoord|lösenord|adgangskode|passord|salasana|hasło|heslo|jelszó|parolă|şifre|parola|пароль|пароля|паролата|лозинка|κωδικός|סיסמה|סיסמא|كلمة المرور|كلمة السر|पासवर्ड|mật khẩu|kata sandi|รหัสผ่าน'
const unspacedWords = 'パスワード|暗証番号|密码|密碼|口令|비밀번호|암호|패스워드'
const foreignPassword = new RegExp(
  `(?<![\\p{L}\\p{N}_])(?:${words})(?: [\\p{L}\\p{M}]{1,15}){0,3}[ \\u00a0]?(?:[:=]| (?:is|ist|es|est|é|è|är|er|on|to|jest|je|lautet|—|-) )[ \\u00a0]{0,2}["'“„«]?([^\\s"'“”«»()<>{}[\\],;]{5,100}[^\\s"'“”«»()<>{}[\\],;.?])`,
  'giu',
)
/** What is said of it follows without a space, in another script. */
const unspacedPassword = new RegExp(
  `(?:${unspacedWords})(?:は|が|を|是|为|為|는|은|가)?[ \\u3000]?[:：=、]?[ \\u3000]?["'「『“]?([!#-&*-:=?-Z^-z~]{6,100})`,
  'gu',
)
/** "The password is …", said to somebody: with a digit, and nothing that code would have. */
export const spokenPasswords: readonly RegExp[] = [
  /(?<!\p{L})(?:password|passphrase|passcode|passwort|kennwort|contraseña|mot de passe|senha|wachtwoord)(?: for [\w .@-]{1,40})? (?:is|ist|es|est|é|was|lautet)(?: now)?:? ["'“]?([^\s"'”()<>{}[\],;]{6,100}[^\s"'”()<>{}[\],;.!?])/giu,
  /(?<![\p{L}_.-])(?:[Tt]he|[Mm]y|[Oo]ur|[Yy]our|[Nn]ew|[Oo]ld) password: ["'“]?([^\s"'”()<>{}[\],;]{6,100}[^\s"'”()<>{}[\],;.!?])/gu,
  /\bpassword[ \t]{1,4}(?=\S{0,60}\d)([A-Za-z0-9!#$%&*+./:=?@^_~-]{8,100})[ \t]*$/gmu,
  foreignPassword,
  unspacedPassword,
  // Not of code, in which a name stands there.
  /(?<![\w$.-])(?:password|passwd|pwd|passphrase)=["']?(?![^\s"']{0,100}(?:pass|pwd|secret|token|hash|test|user))([A-Za-z0-9!#$%&*+/:?^~-]{8,100})(?=["'\s,;&]|$)/giu,
  /\bsshpass -p ?["']?([^\s"']{6,100})/gu,
  /\bmysql(?:dump)?\b[^\n]{0,100} -p([^\s"'-][^\s"']{5,100})/gu,
]
