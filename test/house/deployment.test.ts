import { existsSync } from 'node:fs'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'

import { ExitStatus } from '../../src/cli/exit-codes.ts'
import { describeProgram } from '../../src/cli/program.ts'
import { describeSettings } from '../../src/config.ts'
import { filesBelow, read, root } from './sources.ts'

const settings = new Map(describeSettings().map((setting) => [setting.name, setting]))
const commands = (await describeProgram(new ExitStatus())).commands.map((command) => command.name())
const port = Number(settings.get('VERBATIM_HTTP_PORT')?.default)
const roles = ['all', 'web', 'worker']
/** What the AWS SDK reads itself. */
const ofAws = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']

/** A setting of the product, by the schema that refuses any other name. */
function isSetting(name: string): boolean {
  return settings.has(name) || ofAws.includes(name)
}

/** A path that some route of the HTTP server answers. */
function isRoute(path: string): boolean {
  return filesBelow('src/http', '.ts').some((file) => read(`src/http/${file}`).includes(`'${path}'`))
}

describe('Dockerfile', () => {
  const text = read('Dockerfile').replaceAll('\\\n', ' ')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const of = (instruction: string) =>
    lines.flatMap((line) =>
      line.trim().startsWith(`${instruction} `) ? [line.trim().slice(instruction.length + 1)] : [],
    )
  const jsonOf = (value: string | undefined) => z.array(z.string()).parse(JSON.parse(value ?? ''))

  it('copies only what is there, and what .dockerignore lets through', () => {
    const passed = read('.dockerignore')
      .split('\n')
      .flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
    const copied = of('COPY').flatMap((line) => (line.startsWith('--from=') ? [] : line.split(' ').slice(0, -1)))
    const paths = copied.map((path) => path.replace(/^\.\//, ''))
    expect(paths.length).toBeGreaterThan(5)
    expect(paths.filter((path) => !existsSync(join(root, path)) || !passed.includes(path))).toEqual([])
  })

  it('runs the program of package.json, as nobody in particular, with a command that there is', () => {
    const { bin } = z.object({ bin: z.object({ verbatim: z.string() }) }).parse(JSON.parse(read('package.json')))
    const run = of('RUN').join('\n')
    expect(run).toContain(`chmod +x ${bin.verbatim}`)
    expect(run).toContain(`/app/${bin.verbatim} /usr/local/bin/verbatim`)
    expect(jsonOf(of('ENTRYPOINT')[0])).toEqual(['verbatim'])
    expect(commands).toContain(jsonOf(of('CMD').at(-1))[0])
    expect(of('USER')).toEqual(['node'])
    expect(of('EXPOSE')).toEqual([String(port)])
  })

  it('leaves what development needs in the stages before the last', () => {
    const last = text.slice(text.lastIndexOf('\nFROM '))
    expect(last).not.toMatch(/npm |src/)
    expect(text).toContain('npm ci --omit=dev')
  })

  it('sets only settings that there are', () => {
    const set = of('ENV').flatMap((line) => [...line.matchAll(/(\w+)=/g)].map((match) => match.at(1) ?? ''))
    expect(set.filter((name) => name !== 'NODE_ENV' && !isSetting(name))).toEqual([])
  })
})

const serviceSchema = z.object({
  image: z.string(),
  build: z.string().optional(),
  environment: z.record(z.string(), z.string()).default({}),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
})
const composeSchema = z.object({
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), z.null()),
})

describe('compose.yaml', () => {
  const compose = composeSchema.parse(parse(read('compose.yaml'), { merge: true }))
  const services = Object.entries(compose.services)
  const own = services.filter(([, { build }]) => build !== undefined)

  it('sets only settings that there are', () => {
    expect(own.map(([name]) => name)).toEqual(['serve', 'worker'])
    const named = own.flatMap(([, { environment }]) => Object.keys(environment))
    expect(named).toContain('DATABASE_URL')
    expect(named.filter((name) => !isSetting(name))).toEqual([])
    expect(own.map(([, { environment }]) => environment['VERBATIM_ROLE'])).toEqual(['web', 'worker'])
  })

  it('publishes the port that the program listens on, to this machine only', () => {
    expect(services.flatMap(([, { ports }]) => ports)).toEqual([`127.0.0.1:${port}:${port}`])
  })

  it('waits for services that there are, which say that they are ready', () => {
    const waits = services.flatMap(([, { depends_on: on }]) => Object.entries(on))
    expect(waits.length).toBeGreaterThan(2)
    for (const [name, { condition }] of waits) {
      const service = compose.services[name]
      expect(service).toBeDefined()
      expect(condition).toBe(service?.healthcheck === undefined ? 'service_completed_successfully' : 'service_healthy')
    }
  })

  it('mounts volumes that it declares and files that there are', () => {
    const mounted = services.flatMap(([, { volumes }]) => volumes.map((volume) => volume.split(':')[0] ?? ''))
    const [files, names] = [
      mounted.filter((path) => path.startsWith('./')),
      mounted.filter((path) => !path.startsWith('./')),
    ]
    expect(files.filter((path) => !existsSync(join(root, path)))).toEqual([])
    expect([...new Set(names)].toSorted()).toEqual(Object.keys(compose.volumes).toSorted())
  })

  it('has no password in it', () => {
    const secret = services.flatMap(([, { environment }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|SECRET|DATABASE_URL|MC_HOST/.test(name)),
    )
    expect(secret.length).toBeGreaterThan(4)
    expect(secret.filter(([, value]) => !/\$\{\w+:\?/.test(value))).toEqual([])
  })
})

const probe = z.object({ httpGet: z.object({ path: z.string(), port: z.literal('http') }) })
const containerSchema = z.object({
  args: z.array(z.string()),
  envFrom: z.array(
    z.object({
      configMapRef: z.object({ name: z.string() }).optional(),
      secretRef: z.object({ name: z.string() }).optional(),
    }),
  ),
  env: z.array(z.object({ name: z.string(), value: z.string() })),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string() })),
})
const labels = z.record(z.string(), z.string())
const deploymentSchema = z.object({
  kind: z.literal('Deployment'),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    replicas: z.number(),
    selector: z.object({ matchLabels: labels }),
    template: z.object({
      metadata: z.object({ labels }),
      spec: z.object({
        terminationGracePeriodSeconds: z.number().min(15),
        securityContext: z.object({ runAsNonRoot: z.literal(true) }),
        containers: z.array(containerSchema).length(1),
        volumes: z.array(z.object({ name: z.string() })),
      }),
    }),
  }),
})

describe('deploy/kubernetes.yaml', () => {
  const parsed = parseAllDocuments(read('deploy/kubernetes.yaml'))
  const documents: unknown[] = parsed.map((document) => document.toJS())
  const ofKind = (kind: string) =>
    documents.filter((document) => z.object({ kind: z.literal(kind) }).safeParse(document).success)
  const deployments = ofKind('Deployment').map((document) => deploymentSchema.parse(document))
  const containers = deployments.flatMap(({ spec }) => spec.template.spec.containers)

  it('can be read', () => {
    expect(documents.length).toBeGreaterThan(6)
    expect(parsed.flatMap(({ errors }) => errors)).toEqual([])
  })

  it('has two replicas that answer and a worker', () => {
    expect(deployments.map(({ metadata, spec }) => [metadata.name, spec.replicas])).toEqual([
      ['verbatim-web', 2],
      ['verbatim-worker', 1],
    ])
    expect(containers.map(({ env }) => env)).toEqual([
      [{ name: 'VERBATIM_ROLE', value: 'web' }],
      [{ name: 'VERBATIM_ROLE', value: 'worker' }],
    ])
    expect(
      containers.flatMap(({ env }) => env.map(({ value }) => value)).filter((role) => !roles.includes(role)),
    ).toEqual([])
  })

  it('sets only settings that there are', () => {
    const data = z.object({
      data: labels.optional(),
      stringData: labels.optional(),
      metadata: z.object({ name: z.string() }),
    })
    const sources = [...ofKind('ConfigMap'), ...ofKind('Secret')].map((document) => data.parse(document))
    const referred = containers.flatMap(({ envFrom }) =>
      envFrom.map((from) => from.configMapRef?.name ?? from.secretRef?.name),
    )
    const named = sources
      .filter(({ metadata }) => referred.includes(metadata.name))
      .flatMap(({ data = {}, stringData = {} }) => Object.keys({ ...data, ...stringData }))
    expect(named).toContain('DATABASE_URL')
    expect(named.filter((name) => !isSetting(name))).toEqual([])
  })

  it('runs a command that there is, and asks paths that are answered on the port that is listened on', () => {
    for (const { args, ports, livenessProbe, readinessProbe, startupProbe } of containers) {
      expect(commands).toContain(args[0])
      expect(ports).toEqual([{ name: 'http', containerPort: port }])
      expect([livenessProbe, startupProbe].map(({ httpGet }) => httpGet.path)).toEqual(['/healthz', '/healthz'])
      expect(readinessProbe.httpGet.path).toBe('/readyz')
    }
    expect(['/healthz', '/readyz', '/nothing'].map(isRoute)).toEqual([true, true, false])
  })

  it('selects its own pods, and mounts volumes that there are', () => {
    for (const { spec } of deployments) {
      expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels)
      const volumes = spec.template.spec.volumes.map(({ name }) => name)
      const mounts = spec.template.spec.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name))
      expect([...new Set(mounts)].toSorted()).toEqual(volumes.toSorted())
    }
    const service = z.object({ spec: z.object({ selector: labels }) }).parse(ofKind('Service')[0])
    expect(service.spec.selector).toEqual(deployments[0]?.spec.selector.matchLabels)
  })
})
