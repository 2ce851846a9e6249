import { Scrape } from '../../support/prometheus.ts'
import type { HttpHome } from './http-home.ts'

export async function scrape(server: HttpHome): Promise<Scrape> {
  const response = await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${server.token}` } })
  return new Scrape(await response.text())
}

/** A figure of a server; 0 where it has none yet. */
export async function scrapedValue(
  server: HttpHome,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<number> {
  return (await scrape(server)).value(name, labels) ?? 0
}
