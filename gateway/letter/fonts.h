// The fonts of letters: exactly the files that are named here, found in the directories that configuration gives, and
// never a font that happens to be on the host. A character that none of them has stops the letter; it never prints as a
// box. Used by: layout.h, pdf.h, render.h. Thread rule: a Fonts belongs to one thread (Pango's font maps are not for
// sharing): one per worker. Failure rule: a font file that is not there is NotFound, at start.
//
// Noto Sans for text (OFL; Latin, Cyrillic, Greek), Liberation Sans for the address in the window (print suppliers ask
// for a face like Arial, whose machines read it best).
#pragma once

#include "gateway/base/result.h"

#include <memory>
#include <string>
#include <vector>

namespace lotsen::letter {

struct FontSet;  // Pango's side, private to this folder: font_set.h

class Fonts {
 public:
  /// `directories` are searched in order for each file, not below them.
  static Result<std::unique_ptr<Fonts>> open(const std::vector<std::string>& directories);
  ~Fonts();
  Fonts(const Fonts&) = delete;
  Fonts& operator=(const Fonts&) = delete;

  /// Whether one of the fonts has a glyph for the character.
  bool covers(char32_t character) const;

  FontSet& set() { return *set_; }
  /// What a writer keeps between letters (opened faces); only the writer looks inside. Freed with the fonts.
  std::shared_ptr<void>& writerCache() { return writerCache_; }

 private:
  explicit Fonts(std::unique_ptr<FontSet> set);
  std::unique_ptr<FontSet> set_;
  std::shared_ptr<void> writerCache_;
};

}  // namespace lotsen::letter
