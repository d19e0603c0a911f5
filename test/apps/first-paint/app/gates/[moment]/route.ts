import { closeGate, openGate, untilReached } from '../../../gates'

interface Context {
  params: Promise<{ moment: string }>
}

export async function POST(_: Request, { params }: Context): Promise<Response> {
  closeGate((await params).moment)
  return new Response(null, { status: 204 })
}

export async function GET(_: Request, { params }: Context): Promise<Response> {
  await untilReached((await params).moment)
  return new Response(null, { status: 204 })
}

export async function DELETE(_: Request, { params }: Context): Promise<Response> {
  openGate((await params).moment)
  return new Response(null, { status: 204 })
}
