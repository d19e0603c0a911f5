export { LogError } from '@/server/log/event-log'
