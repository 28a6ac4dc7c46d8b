// A letter with its values in place: what it says, before anybody decides how it looks. Made by fill.h; read by text.h
// and layout.h. Thread rule: plain values. Failure rule: a Document is complete; a letter with a missing value never
// becomes one. It holds patient data: nothing of it goes to a log or into an issue.
#pragma once

#include "gateway/letter/source.h"

#include <cstdint>
#include <string>
#include <vector>

namespace lotsen::letter {

/// A stretch of text of one style.
struct Inline {
  std::string text;        // NFC, one line, no control characters; always literal
  bool lineBreak = false;  // a hard line break; `text` is then empty
  bool strong = false;
  bool unbroken = false;   // a telephone number, an id, a date: never parted at a line end
  std::string link;        // https target; empty: none
  std::string variable;    // where the text came from; empty: from the template
  std::uint32_t line = 0;  // in the template file
};
using Inlines = std::vector<Inline>;

struct Block {
  Node::Kind kind = Node::Kind::Paragraph;
  std::uint8_t level = 0;      // Heading: 1 to 3
  std::vector<Inlines> lines;  // one for a heading or paragraph, one per item of a list
};

struct Document {
  std::string file;      // of the template, for messages
  std::string language;  // BCP 47, of everything in the letter
  std::string title;
  Recipient recipient = Recipient::Patient;
  std::string notification;                                 // empty: the template has none
  std::vector<Inlines> sender, address, reference, footer;  // one per line
  std::vector<Block> blocks;
};

/// The address of a link as paper and plain text show it: "www.1177.se" for "https://www.1177.se/".
std::string shownAddress(const std::string& link);

}  // namespace lotsen::letter
