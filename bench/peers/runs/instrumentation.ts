export { register } from 'next-sse/instrumentation'
