import { describe, expect, test } from 'vitest'
import { createUploadBudget } from './upload-budget'

const limits = { totalBytes: 1_000, spareBytes: 300, smallBytes: 100 }

describe('createUploadBudget', () => {
  test('counts the reservations of all bodies, as they grow and shrink', () => {
    const budget = createUploadBudget(limits)
    const [one, other] = [budget.open(), budget.open()]

    expect(one.resize(200)).toBe(true)
    expect(other.resize(300)).toBe(true)
    expect(budget.heldBytes).toBe(500)
    expect(one.resize(50)).toBe(true)
    expect(budget.heldBytes).toBe(350)
    one.close()
    one.close()
    other.close()
    expect(budget.heldBytes).toBe(0)
  })

  test('refuses to exceed the budget, and keeps the reservation unchanged', () => {
    const budget = createUploadBudget(limits)
    const [one, other] = [budget.open(), budget.open()]

    expect(one.resize(600)).toBe(true)
    expect(other.resize(101)).toBe(false)
    expect(one.resize(701)).toBe(false)
    expect(budget.heldBytes).toBe(600)
    one.close()
    expect(other.resize(101)).toBe(true)
  })

  test('keeps a reserve for small bodies, however many large ones there are', () => {
    const budget = createUploadBudget(limits)
    budget.open().resize(700)

    expect(budget.open().resize(101)).toBe(false)
    for (let n = 0; n < 3; n++) expect(budget.open().resize(100)).toBe(true)
    expect(budget.open().resize(1)).toBe(false)
    expect(budget.heldBytes).toBe(1_000)
  })

  test('a body that has sent nothing reserves nothing', () => {
    const budget = createUploadBudget(limits)

    for (let n = 0; n < 5_000; n++) budget.open()

    expect(budget.heldBytes).toBe(0)
    expect(budget.open().resize(700)).toBe(true)
  })
})
