# The app as `next build` makes it for a server of its own: nothing but what it needs to run.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npx next build

FROM node:24-slim
WORKDIR /app
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 HOSTNAME=0.0.0.0 PORT=3000 EVENTS_URL=file:/data/events.db
COPY --from=build /app/.next/standalone ./
COPY --from=build /app/.next/static ./.next/static
# The one place it writes to, when events are in SQLite.
RUN mkdir /data && chown node:node /data
VOLUME /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Not by way of npm or a shell: the process itself must hear SIGTERM.
CMD ["node", "server.js"]
