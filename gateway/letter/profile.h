// A print profile: where the envelope's window is, where the text of a page may stand, sizes, and what the printer
// needs kept free. It is data (templates/print/*.profile), one file per print supplier and envelope, because the
// measures are the supplier's, not ours. Used by: layout.h, window.h, render.h. Thread rule: plain values, shared.
// Failure rule: every fault with file and line; then Invalid.
//
// One `key: numbers` a line, millimetres from the top left corner of the page; `#` begins a comment line. A box is x y
// width height.
//
//     page: 210 297                paper
//     window: 105 45 95 35         what the envelope shows
//     window-inset: 3              the address stays this far inside, because the sheet slides
//     address: 111 11 13.5         left edge; size and leading in points; the block is centred in the height of the
//     window sender: 30 15 70             left, top, width reference: 30 85 150         left, top, width first-page: 30
//     100 150 172   box for the text next-pages: 30 25 150 247 footer: 30 283 150           left, first line, width
//     text: 12 16.5                size and leading in points
//     small: 9.5 12.5              sender, reference, footer
//     max-pages: 4
//     fold: 148.5 4 9              optional: a mark at this height, from and to
//     keep-free: 150 20 …          optional, repeated: boxes on the first page that must stay empty
#pragma once

#include "gateway/base/result.h"
#include "gateway/fhir/issues.h"
#include "gateway/letter/display_list.h"

#include <string>
#include <string_view>
#include <vector>

namespace lotsen::letter {

struct TextSize {
  double size = 0;  // points
  double leading = 0;
};

/// Everything in points.
struct PrintProfile {
  std::string file;
  double width = 0, height = 0;
  Box window;
  double windowInset = 0;
  double addressLeft = 0;
  TextSize address, text, small;
  Box sender, reference, footer;  // height unused
  Box firstPage, nextPages;
  std::size_t maxPages = 0;
  std::vector<Rule> folds;
  std::vector<Box> keepFree;
};

Result<PrintProfile> parseProfile(std::string_view text, std::string_view file, fhir::Issues& issues);

}  // namespace lotsen::letter
