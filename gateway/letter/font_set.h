// Private to this folder: the font map behind Fonts, for layout.
#pragma once

#include "gateway/letter/fonts.h"

#include <fontconfig/fontconfig.h>
#include <pango/pangoft2.h>

#include <bitset>

namespace lotsen::letter {

struct FontSet {
  FontSet() = default;
  FontSet(const FontSet&) = delete;
  FontSet& operator=(const FontSet&) = delete;
  ~FontSet();

  FcConfig* config = nullptr;
  PangoFontMap* map = nullptr;
  PangoContext* context = nullptr;
  std::bitset<0x3000> common;  // covers(), answered once for the characters that letters are made of
};

constexpr const char* kTextFamily = "Noto Sans";
constexpr const char* kAddressFamily = "Liberation Sans";

}  // namespace lotsen::letter
