/** @type {import('next').NextConfig} */
module.exports = { agentRules: false }
