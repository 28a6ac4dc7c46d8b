#include "gateway/letter/fonts.h"

#include "gateway/letter/font_set.h"

#include <pango/pangofc-fontmap.h>

#include <array>
#include <filesystem>

namespace lotsen::letter {

namespace {

constexpr std::array<const char*, 3> kFiles{"NotoSans-Regular.ttf", "NotoSans-Bold.ttf", "LiberationSans-Regular.ttf"};

/// Unhinted outlines: a glyph is as wide on every printer and screen as its font says.
void withoutHinting(FcPattern* pattern, gpointer) {
  FcPatternDel(pattern, FC_HINTING);
  FcPatternAddBool(pattern, FC_HINTING, FcFalse);
}

bool anyFontHas(FcConfig* config, char32_t character) {
  const FcFontSet* fonts = FcConfigGetFonts(config, FcSetApplication);
  for (int i = 0; fonts != nullptr && i < fonts->nfont; ++i) {
    FcCharSet* characters = nullptr;
    if (FcPatternGetCharSet(fonts->fonts[i], FC_CHARSET, 0, &characters) == FcResultMatch &&
        FcCharSetHasChar(characters, character) == FcTrue) {
      return true;
    }
  }
  return false;
}

}  // namespace

FontSet::~FontSet() {
  if (context != nullptr) g_object_unref(context);
  if (map != nullptr) g_object_unref(map);
  if (config != nullptr) FcConfigDestroy(config);
}

Fonts::Fonts(std::unique_ptr<FontSet> set) : set_(std::move(set)) {}
Fonts::~Fonts() = default;

Result<std::unique_ptr<Fonts>> Fonts::open(const std::vector<std::string>& directories) {
  auto set = std::make_unique<FontSet>();
  set->config = FcConfigCreate();
  for (const char* file : kFiles) {
    bool found = false;
    for (const auto& directory : directories) {
      const std::string path = (std::filesystem::path(directory) / file).string();
      std::error_code ignored;
      if (!std::filesystem::is_regular_file(path, ignored)) continue;
      found = FcConfigAppFontAddFile(set->config, reinterpret_cast<const FcChar8*>(path.c_str())) == FcTrue;
      break;
    }
    if (!found) {
      return fail(
          Code::NotFound,
          std::string("font file ") + file +
              " is not in the font directories of the configuration, or is no font; install it or name its directory");
    }
  }
  set->map = pango_ft2_font_map_new();
  pango_ft2_font_map_set_resolution(PANGO_FT2_FONT_MAP(set->map), 72, 72);
  pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(set->map), set->config);
  pango_fc_font_map_set_default_substitute(PANGO_FC_FONT_MAP(set->map), withoutHinting, nullptr, nullptr);
  set->context = pango_font_map_create_context(set->map);
  pango_context_set_round_glyph_positions(set->context, FALSE);
  for (std::size_t c = 0; c < set->common.size(); ++c)
    set->common[c] = anyFontHas(set->config, static_cast<char32_t>(c));
  return std::unique_ptr<Fonts>(new Fonts(std::move(set)));
}

bool Fonts::covers(char32_t character) const {
  return character < set_->common.size() ? set_->common[character] : anyFontHas(set_->config, character);
}

}  // namespace lotsen::letter
