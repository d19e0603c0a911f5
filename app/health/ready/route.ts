import { sse } from '@/app/sse'

export const { GET } = sse.healthRoute
