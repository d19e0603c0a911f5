/** Runs the standalone build in two processes that share a port. */
const cluster = require('node:cluster')
const path = require('node:path')

cluster.setupPrimary({ exec: path.join(process.cwd(), '.next/standalone/server.js') })
cluster.fork()
cluster.fork()
