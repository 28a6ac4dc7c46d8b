// The display list: a letter laid out, as glyphs at places and a tree of what they mean. It is the seam between layout,
// which knows text and fonts, and the writer, which knows PDF: layout makes it without any PDF library, a writer draws
// it without any text library. The cairo writer (pdf.h) and a tagged-PDF writer of our own take the same list. Thread
// rule: plain values. Unit: points (1/72 inch), origin at the top left corner of the page, y downwards.
//
// Structure and place are apart: `elements` is the reading order of the whole letter, pages hold runs that point into
// it. So a paragraph that goes over two pages is one element. What points to no element (page numbers, rules) is
// decoration (PDF: artifact).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lotsen::letter {

enum class Role : std::uint8_t {
  Document,
  Paragraph,
  Heading1,
  Heading2,
  Heading3,
  List,
  ListItem,
  Label,
  ListBody,
  Link
};

using ElementIndex = std::uint32_t;
constexpr ElementIndex kDecoration = 0xffffffffU;

/// Parents stand before their children; element 0 is the Document.
struct StructureElement {
  Role role = Role::Paragraph;
  ElementIndex parent = kDecoration;
  std::string link;  // Role::Link: https target
};

/// A font file that the runs use.
struct FontFile {
  std::string path;
  int face = 0;  // index inside the file
  bool operator==(const FontFile&) const = default;
};

struct Glyph {
  std::uint32_t id = 0;  // in the font
  double x = 0, y = 0;   // from the origin of the run
  double advance = 0;
};

/// `bytes` of text are shown by `glyphs`: what a reader needs to get the text back.
struct Cluster {
  std::uint16_t bytes = 0;
  std::uint16_t glyphs = 0;
};

/// Glyphs of one font and size on one line.
struct GlyphRun {
  ElementIndex element = kDecoration;
  std::uint32_t font = 0;  // index into DisplayList::fonts
  double size = 0;
  double x = 0, baseline = 0, width = 0;
  bool rightToLeft = false;  // clusters are in logical order, glyphs from left to right
  std::string text;          // UTF-8
  std::vector<Glyph> glyphs;
  std::vector<Cluster> clusters;  // add up to all of `text` and all glyphs
};

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
};

/// A filled rectangle: underline, fold mark. Always decoration.
struct Rule {
  Box box;
  double gray = 0;  // 0 black, 1 white
};

struct Page {
  std::vector<GlyphRun> runs;  // in reading order, decoration last
  std::vector<Rule> rules;
};

struct DisplayList {
  std::string title;
  std::string language;
  double width = 0, height = 0;  // of every page
  std::vector<FontFile> fonts;
  std::vector<StructureElement> elements;
  ElementIndex address = kDecoration;  // the element that must be seen in the window
  std::vector<Page> pages;
};

}  // namespace lotsen::letter
