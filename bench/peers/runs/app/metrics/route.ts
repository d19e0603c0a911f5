import { sse } from '../../sse'

export const { GET } = sse.metricsRoute
