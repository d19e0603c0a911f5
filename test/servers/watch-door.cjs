/** Loaded into a server by `--require`: marks what the front door answers, and breaks what answers when it is told to. */
const { subscribe } = require('node:diagnostics_channel')

subscribe('next-sse.request', ({ response }) => {
  response.setHeader('Taken-By', `door of ${process.pid}`)
})

process.on('SIGUSR2', () => {
  const { engine } = globalThis[Symbol.for('next-sse')]
  engine.hub = () => Promise.reject(new TypeError('a planted fault'))
  console.log('The fault is planted.')
})
