export { defineTopics, type TopicDefinition, type Topics } from '@/protocol/define-topics'
export { UnreadableEventError, type UnreadEvent } from '@/protocol/read-defined'
export { json, type JsonValue, type SchemaIssue } from '@/protocol/schema'
export type { DefinedEvent, EventOf, InputOf, TopicOf, TypeOf } from '@/protocol/topic-types'
