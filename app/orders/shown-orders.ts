/** How many orders a table shows. */
export const shownOrders = 8
