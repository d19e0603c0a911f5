export { defineTopics, type TopicDefinition, type Topics } from '@/protocol/topics/define-topics'
export { UnreadableEventError } from '@/protocol/unreadable-event'
export { json, text, type JsonValue, type SchemaIssue } from '@/protocol/topics/schema'
export type {
  DefinedEvent,
  EventOf,
  InputOf,
  TopicName,
  TopicOf,
  TypeOf,
} from '@/protocol/topics/topic-types'
