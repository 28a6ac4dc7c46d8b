// Private to this folder: text into lines of positioned glyphs, with Pango. Layout decides where the lines go.
// Thread rule: as the Fonts. Failure rule: a character without a glyph is an issue that names the variable, or the line
// of the template, and never the text.
#pragma once

#include "gateway/fhir/issues.h"
#include "gateway/letter/display_list.h"
#include "gateway/letter/document.h"
#include "gateway/letter/fonts.h"
#include "gateway/letter/profile.h"

#include <string>
#include <vector>

namespace lotsen::letter {

/// Runs stand at x from the left edge of the line; baseline and element are for the layout to set.
struct ShapedRun {
  GlyphRun run;
  std::string link;
};

struct ShapedLine {
  std::vector<ShapedRun> runs;
  double width = 0;
};

class Shaper {
 public:
  Shaper(Fonts& fonts, std::string_view file, std::string_view language, std::vector<FontFile>& files,
         fhir::Issues& issues);

  struct Style {
    TextSize size;
    bool strong = false;
    bool address = false;  // the face for the window
  };

  /// Broken at `width` points between words; a word that is wider is broken inside. `width` 0: only at hard line
  /// breaks.
  std::vector<ShapedLine> shape(const Inlines& text, const Style& style, double width);

  bool clean() const { return clean_; }

 private:
  void checkGlyphs(const Inlines& text);

  Fonts& fonts_;
  std::string file_;
  std::vector<FontFile>& files_;
  fhir::Issues& issues_;
  bool clean_ = true;
};

}  // namespace lotsen::letter
