#include "gateway/letter/shape.h"

#include "gateway/letter/font_set.h"

#include <hb.h>
#include <pango/pangofc-font.h>

#include <algorithm>
#include <memory>

namespace lotsen::letter {

namespace {

constexpr double kScale = PANGO_SCALE;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
  void operator()(PangoLayoutIter* iterator) const { pango_layout_iter_free(iterator); }
  void operator()(PangoFontDescription* description) const { pango_font_description_free(description); }
  void operator()(PangoAttrList* list) const { pango_attr_list_unref(list); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref>;

struct LinkRange {
  std::size_t begin, end;
  const std::string* target;
};

void addAttribute(PangoAttrList* list, PangoAttribute* attribute, std::size_t begin, std::size_t end) {
  attribute->start_index = static_cast<guint>(begin);
  attribute->end_index = static_cast<guint>(end);
  pango_attr_list_insert(list, attribute);
}

FontFile fileOf(PangoFont* font) {
  FcPattern* pattern = pango_fc_font_get_pattern(PANGO_FC_FONT(font));
  FcChar8* path = nullptr;
  int index = 0;
  FcPatternGetString(pattern, FC_FILE, 0, &path);
  FcPatternGetInteger(pattern, FC_INDEX, 0, &index);
  return {path == nullptr ? "" : reinterpret_cast<const char*>(path), index};
}

std::uint32_t indexOf(FontFile file, std::vector<FontFile>& files) {
  const auto at = std::find(files.begin(), files.end(), file);
  if (at != files.end()) return static_cast<std::uint32_t>(at - files.begin());
  files.push_back(std::move(file));
  return static_cast<std::uint32_t>(files.size() - 1);
}

/// The blank at the end of a wrapped line, which Pango empties: a real glyph keeps the words apart for whoever reads
/// the text out.
PangoGlyphInfo blank(PangoFont* font) {
  hb_font_t* harfbuzz = pango_font_get_hb_font(font);
  hb_codepoint_t id = 0;
  hb_font_get_nominal_glyph(harfbuzz, ' ', &id);
  PangoGlyphInfo glyph{};
  glyph.glyph = id;
  glyph.geometry.width = hb_font_get_glyph_h_advance(harfbuzz, id);
  return glyph;
}

/// Glyphs, clusters and text of a run. Pango tells a byte offset per glyph, in visual order; clusters are in logical
/// order. What has no ink and no width (a line end) is left out with its text.
void appendGlyphs(const PangoGlyphItem& item, std::string_view text, GlyphRun& run) {
  struct Place {
    int byte;
    std::uint16_t glyphs;
  };
  std::vector<Place> places;
  for (int i = 0; i < item.glyphs->num_glyphs; ++i) {
    PangoGlyphInfo glyph = item.glyphs->glyphs[i];
    const int byte = item.glyphs->log_clusters[i];
    if (places.empty() || places.back().byte != byte) places.push_back({byte, 0});
    if (glyph.glyph == PANGO_GLYPH_EMPTY && text[static_cast<std::size_t>(byte)] == ' ') {
      glyph = blank(item.item->analysis.font);
    }
    if (glyph.glyph == PANGO_GLYPH_EMPTY) continue;
    ++places.back().glyphs;
    run.glyphs.push_back({glyph.glyph, run.width + glyph.geometry.x_offset / kScale, glyph.geometry.y_offset / kScale,
                          glyph.geometry.width / kScale});
    run.width += glyph.geometry.width / kScale;
  }
  if (run.rightToLeft) std::reverse(places.begin(), places.end());
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i].glyphs == 0) continue;
    const auto begin = static_cast<std::size_t>(places[i].byte);
    const std::size_t end = i + 1 < places.size() ? static_cast<std::size_t>(places[i + 1].byte) : text.size();
    run.text += text.substr(begin, end - begin);
    run.clusters.push_back({static_cast<std::uint16_t>(end - begin), places[i].glyphs});
  }
}

}  // namespace

Shaper::Shaper(Fonts& fonts, std::string_view file, std::string_view language, std::vector<FontFile>& files,
               fhir::Issues& issues)
    : fonts_(fonts), file_(file), files_(files), issues_(issues) {
  pango_context_set_language(fonts.set().context, pango_language_from_string(std::string(language).c_str()));
}

void Shaper::checkGlyphs(const Inlines& text) {
  for (const Inline& part : text) {
    for (const char* at = part.text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
      if (fonts_.covers(g_utf8_get_char(at))) continue;
      clean_ = false;
      fhir::Issue issue;
      issue.code = "not-supported";
      issue.rule = "letter-glyph";
      issue.source = file_ + ":" + std::to_string(part.line);
      issue.at = {part.line, 1};
      issue.text = part.variable.empty()
                       ? "the text has a character that none of the letter fonts can print; use another"
                       : "the value of '" + part.variable +
                             "' has a character that none of the letter fonts can print; send this letter by hand, "
                             "or as a 1177 message";
      issues_.add(std::move(issue));
      break;
    }
  }
}

std::vector<ShapedLine> Shaper::shape(const Inlines& text, const Style& style, double width) {
  checkGlyphs(text);
  if (!clean_) return {};
  std::string joined;
  std::vector<LinkRange> links;
  const Owned<PangoAttrList> attributes(pango_attr_list_new());
  for (const Inline& part : text) {
    const std::size_t begin = joined.size();
    joined += part.lineBreak ? " \n" : part.text;  // the blank keeps the words apart for whoever reads the text out
    const std::size_t end = joined.size();
    if (part.strong) addAttribute(attributes.get(), pango_attr_weight_new(PANGO_WEIGHT_BOLD), begin, end);
    if (part.unbroken) addAttribute(attributes.get(), pango_attr_allow_breaks_new(FALSE), begin, end);
    if (part.link.empty()) continue;
    addAttribute(attributes.get(), pango_attr_underline_new(PANGO_UNDERLINE_SINGLE), begin, end);
    links.push_back({begin, end, &part.link});
  }

  const Owned<PangoLayout> layout(pango_layout_new(fonts_.set().context));
  const Owned<PangoFontDescription> font(pango_font_description_new());
  pango_font_description_set_family(font.get(), style.address ? kAddressFamily : kTextFamily);
  pango_font_description_set_absolute_size(font.get(), style.size.size * kScale);
  pango_font_description_set_weight(font.get(), style.strong ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  // No ligatures: readers that look at glyphs and not at the text behind them (search, copy, some screen readers) miss
  // them.
  addAttribute(attributes.get(), pango_attr_font_features_new("liga=0, clig=0"), 0, joined.size());
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_attributes(layout.get(), attributes.get());
  pango_layout_set_auto_dir(layout.get(), FALSE);
  pango_layout_set_text(layout.get(), joined.data(), static_cast<int>(joined.size()));
  if (width > 0) {
    pango_layout_set_width(layout.get(), static_cast<int>(width * kScale));
    pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
  }

  std::vector<ShapedLine> lines;
  const Owned<PangoLayoutIter> iterator(pango_layout_get_iter(layout.get()));
  do {
    const PangoLayoutLine* line = pango_layout_iter_get_line_readonly(iterator.get());
    ShapedLine& out = lines.emplace_back();
    for (GSList* node = line->runs; node != nullptr; node = node->next) {
      const auto& item = *static_cast<const PangoGlyphItem*>(node->data);
      ShapedRun& shaped = out.runs.emplace_back();
      GlyphRun& run = shaped.run;
      run.font = indexOf(fileOf(item.item->analysis.font), files_);
      run.size = style.size.size;
      run.x = out.width;
      run.rightToLeft = item.item->analysis.level % 2 != 0;
      const auto offset = static_cast<std::size_t>(item.item->offset);
      appendGlyphs(item, std::string_view(joined).substr(offset, static_cast<std::size_t>(item.item->length)), run);
      out.width += run.width;
      for (const LinkRange& link : links) {
        if (offset >= link.begin && offset < link.end) shaped.link = *link.target;
      }
    }
  } while (pango_layout_iter_next_line(iterator.get()) != FALSE);
  return lines;
}

}  // namespace lotsen::letter
