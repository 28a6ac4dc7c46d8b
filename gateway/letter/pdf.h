// The display list drawn as a PDF, through cairo: glyphs with their text, tags in reading order, title, language. The
// same list and instant give the same bytes. Used by: render.h. Thread rule: as the Fonts. Failure rule: Internal if
// cairo cannot write (out of memory, a font file gone).
//
// For now: cairo 1.16 cannot mark decoration as artifacts and writes no PDF/UA mark; our own writer takes its place.
#pragma once

#include "gateway/base/clock.h"
#include "gateway/base/result.h"
#include "gateway/letter/display_list.h"
#include "gateway/letter/fonts.h"

#include <string>

namespace lotsen::letter {

Result<std::string> writePdf(const DisplayList& list, Instant created, Fonts& fonts);

}  // namespace lotsen::letter
