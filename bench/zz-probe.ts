import { BenchHome } from '/work/main/bench/bench-home.ts'
import { ServerProcess, productCommand } from '/work/main/bench/server-process.ts'
const t0 = performance.now()
const lap = (s: string) => console.log(s, Math.round(performance.now() - t0))
{
  await using home = new BenchHome()
  for (let i = 0; i < 2; i++) {
  const s = new ServerProcess(productCommand(home.env)); await s.initialize(); lap('init'); await s.save('x'); lap('save'); await s.close(); lap('close')
  }
  await home.endDaemon(); lap('endDaemon')
}
lap('removed')
