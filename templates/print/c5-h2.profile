# Window envelope C5 with the window to the right (H2). The measures of the window are an example: no public source for them was
# found, and suppliers differ. Print a test sheet, fold it, and replace them by those of your envelope before any letter is posted.
page: 210 297
window: 105 45 95 35
window-inset: 3
address: 111 11 13.5
sender: 30 15 70
reference: 30 84 150
first-page: 30 100 150 172
next-pages: 30 25 150 247
footer: 30 282 150
text: 12 16.5
small: 9.5 12.5
max-pages: 4
fold: 148.5 4 9
