import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { z } from 'zod'

import { limits } from '../../src/limits.ts'
import type { ToolDefinition } from '../../src/mcp/define-tool.ts'
import { prompts } from '../../src/mcp/prompts.ts'
import { fixedResources, resourceTemplates } from '../../src/mcp/resources.ts'
import { allTools } from '../../src/mcp/tool-list.ts'
import { generatedNotice, table } from './markdown.ts'
import { argumentMeaning, replyNotes } from './tool-notes.ts'

/** The part of JSON Schema that the tools use. */
const propertySchema = z.looseObject({
  type: z.string().optional(),
  anyOf: z.array(z.looseObject({ type: z.string() })).optional(),
  items: z.looseObject({ type: z.string().optional(), enum: z.array(z.string()).optional() }).optional(),
  enum: z.array(z.string()).optional(),
  default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  maximum: z.number().optional(),
  description: z.string().optional(),
})
const objectSchema = z.looseObject({
  properties: z.record(z.string(), propertySchema),
  required: z.array(z.string()).default([]),
})
type Property = z.infer<typeof propertySchema>

/** What a client is sent for a tool, and so what it costs in every session. */
export function announcedTool(tool: ToolDefinition): Readonly<Record<string, unknown>> {
  const { run: _run, ...announced } = tool
  return announced
}

/** Tokens of o200k_base, the encoding of current OpenAI models; other models count within some percent of it. */
export function tokensOf(value: unknown): number {
  return encode(JSON.stringify(value)).length
}

function typeOf(property: Property): string {
  const values = property.enum ?? property.items?.enum
  const choice = values?.map((value) => `\`${value}\``).join(', ')
  if (property.enum !== undefined) return `one of ${choice}`
  if (property.anyOf !== undefined) return property.anyOf.map(({ type }) => type).join(' or ')
  if (property.type !== 'array') return property.type ?? 'any'
  return choice === undefined ? `list of ${property.items?.type ?? 'values'}s` : `list of ${choice}`
}

function boundsOf({ maximum }: Property): string {
  return maximum === undefined ? '' : `at most ${maximum.toLocaleString('en-US')}`
}

function argumentsTable(tool: ToolDefinition): string {
  const { properties, required } = objectSchema.parse(tool.inputSchema)
  const rows = Object.entries(properties).map(([name, property]) => [
    `\`${name}\``,
    typeOf(property),
    required.includes(name) ? 'required' : property.default === undefined ? '' : `\`${String(property.default)}\``,
    boundsOf(property),
    argumentMeaning(tool.name, name, property.description),
  ])
  return table(['argument', 'type', 'default', 'bounds', 'meaning'], rows)
}

function outputOf(tool: ToolDefinition): string {
  if (tool.outputSchema !== undefined) {
    const members = Object.keys(objectSchema.parse(tool.outputSchema).properties).map((name) => `\`${name}\``)
    return `Reply: \`structuredContent\` with ${members.join(', ')}, announced by an output schema, and the same as JSON text.`
  }
  const { properties } = objectSchema.parse(tool.inputSchema)
  return `Reply: by \`format\`, one block of text or \`structuredContent\` with the same as JSON text; the default is \`${String(properties['format']?.default)}\`.`
}

function toolSection(tool: ToolDefinition): string {
  const reply = replyNotes.get(tool.name)
  if (reply === undefined) {
    throw new Error(
      `Cannot write docs/tools.md as the reply of "${tool.name}" is not described: add a note to scripts/docs/tool-notes.ts`,
    )
  }
  const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = tool.annotations
  return `## ${tool.name}

**${tool.title}.** ${tool.description}

${argumentsTable(tool)}

${outputOf(tool)} ${reply}

Annotations: readOnlyHint \`${readOnlyHint}\`, destructiveHint \`${destructiveHint}\`, idempotentHint \`${idempotentHint}\`,
openWorldHint \`${openWorldHint}\`. Definition: ${tokensOf(announcedTool(tool))} tokens.`
}

export function toolsPage(): string {
  const resourceRows = [
    ...fixedResources.map(({ uri, mimeType, description }) => [`\`${uri}\``, mimeType, description]),
    ...resourceTemplates.map(({ uriTemplate, mimeType, description }) => [`\`${uriTemplate}\``, mimeType, description]),
  ]
  const promptRows = prompts.map(({ name, title, description, argument }) => [
    `\`${name}\``,
    title,
    description,
    `\`${argument.name}\`: ${argument.description}`,
  ])
  return `# Tools, resources and prompts

${generatedNotice('src/mcp/')}

${allTools.length} tools. Their definitions together cost a client
${tokensOf(allTools.map(announcedTool)).toLocaleString('en-US')} tokens in each of its sessions (o200k_base). \`--read-only\` offers only those with readOnlyHint \`true\`; \`--tools a,b\` offers only those named.

What holds for all of them:

- A numeric bound that is passed is refused with its name; so are the further bounds of [limits.md](limits.md).
- Numbers, booleans, lists and objects may arrive as strings, a list of names also as its only one; explicit nulls count as absent.
- Times are ISO 8601 (UTC where no zone is given) or Unix times in seconds or milliseconds.
- \`session_id\` takes the id that a reply gave or your own, at most ${limits.idCharactersMax} characters.
- An argument that is not listed is ignored. One that differs from a listed one only in case or punctuation is refused
  with the right name.
- A reply with \`next_cursor\` has more: call again with the same arguments and \`cursor\`.
- What goes wrong is a result with \`isError\` that says what was wrong and what to do.

${allTools.map(toolSection).join('\n\n')}

## Resources

Listed: the three \`memory://\` resources, then sessions, newest first, ${limits.resourcePageSessions} a page. The rest are templates;
session ids in them are completed. A client may subscribe to any of them and is told when it changed; of
the context of a session, when what it holds was made anew.

${table(['URI', 'type', 'what it is'], resourceRows)}

Ids in a URI are percent-encoded. \`session://{session_id}\` is a page of at most ${limits.pageMessagesMax} messages and
${limits.resultTokensMax.toLocaleString('en-US')} tokens.

## Prompts

${table(['name', 'title', 'what it asks for', 'argument'], promptRows)}
`
}
