// Layout: a Document on pages, as a display list. The address stands in the window of the print profile, the text in
// its boxes; headings stay with what follows them, and no page begins or ends with a single line of a paragraph. Thread
// rule: as the Fonts. Failure rule: an address that cannot be posted, a character without a glyph and a letter that is
// too long are issues; the result is then Invalid. The window is checked afterwards on the finished list (window.h).
#pragma once

#include "gateway/base/result.h"
#include "gateway/fhir/issues.h"
#include "gateway/letter/display_list.h"
#include "gateway/letter/document.h"
#include "gateway/letter/fonts.h"
#include "gateway/letter/profile.h"

namespace lotsen::letter {

Result<DisplayList> layOut(const Document& document, const PrintProfile& profile, Fonts& fonts, fhir::Issues& issues);

}  // namespace lotsen::letter
