import { z } from 'zod'

import type { Caller } from '../model/access.ts'
import type { Verbatim } from '../verbatim.ts'

/** What a tool's handler gives back: acting tools a small object, reading tools one text or one object. */
export type ToolReply = { readonly structured: Readonly<Record<string, unknown>> } | { readonly text: string }

export interface ToolAnnotations {
  readonly readOnlyHint: boolean
  readonly destructiveHint: boolean
  readonly idempotentHint: boolean
  readonly openWorldHint: boolean
}

/** JSON Schema of an object: what every client accepts at the root. */
export type ObjectSchema = { type: 'object'; [key: string]: unknown }

/** A tool as data: what a client lists, and what runs. No SDK type appears here, so that every protocol era can serve it. */
export interface ToolDefinition {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly inputSchema: ObjectSchema
  readonly outputSchema?: ObjectSchema
  readonly annotations: ToolAnnotations
  readonly run: (context: ToolContext, args: unknown) => Promise<ToolReply>
}

export interface ToolContext {
  readonly verbatim: Verbatim
  readonly caller: Caller
  /** True where the server was started to change nothing. */
  readonly readOnly: boolean
}

/** Keywords whose bounds the server checks by itself and says in its errors; announcing them would cost tokens. */
const leftOut = [
  'additionalProperties',
  'propertyNames',
  'maxLength',
  'minLength',
  'maxItems',
  'minItems',
  'minimum',
] as const

/** JSON Schema with nothing but what clients need: some choke on the rest, and every token of it is paid in every session. */
export function portableSchema(schema: z.ZodObject): ObjectSchema {
  const { $schema: _dialect, ...portable } = z.toJSONSchema(schema, {
    io: 'input',
    override({ jsonSchema }) {
      for (const keyword of leftOut) delete jsonSchema[keyword]
      // An object of anything.
      if (jsonSchema.properties !== undefined && Object.keys(jsonSchema.properties).length === 0)
        delete jsonSchema.properties
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
  return { ...portable, type: 'object' }
}

/**
 * The output's schema without `required` and without what lists hold: results are made by us, and a client checks the types of
 * what is there.
 */
function announcedOutput(schema: z.ZodObject): ObjectSchema {
  const { required: _required, properties, ...announced } = portableSchema(schema)
  const outline = z.record(z.string(), z.looseObject({ type: z.string().optional() })).parse(properties ?? {})
  return {
    ...announced,
    properties: Object.fromEntries(
      Object.entries(outline).map(([name, property]) => [
        name,
        property.type === 'array' ? { type: 'array', items: { type: 'object' } } : property,
      ]),
    ),
  }
}

/** Describes a tool from its schemas; the handler gets arguments that have passed `input`. */
export function defineTool<I extends z.ZodObject>(tool: {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly input: I
  readonly output?: z.ZodObject
  readonly annotations: ToolAnnotations
  readonly run: (context: ToolContext, args: z.infer<I>) => Promise<ToolReply>
}): ToolDefinition {
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: portableSchema(tool.input),
    ...(tool.output === undefined ? {} : { outputSchema: announcedOutput(tool.output) }),
    annotations: tool.annotations,
    run: (context, args) => tool.run(context, tool.input.parse(args)),
  }
}

export const readsOnly: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
}
export const addsOnly: ToolAnnotations = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
}
export const erases: ToolAnnotations = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: true,
  openWorldHint: false,
}
