// A letter as a message: plain text, and the HTML that a 1177 message may hold (h1–h3, p, ul, ol, li, strong, a, br and
// nothing else). The head of the paper (sender, address in the window, foot) is not part of a message; date and
// reference stand under the title, so the text must name its sender itself. Used by: render.h. Thread rule: pure.
// Failure rule: none; a Document is complete.
#pragma once

#include "gateway/letter/document.h"

#include <string>

namespace lotsen::letter {

/// Blank line before a heading and a paragraph, "- " before an item, links followed by their address; ends with a line
/// end.
std::string plainText(const Document& document);

/// A fragment: no html, head or body element.
std::string safeHtml(const Document& document);

}  // namespace lotsen::letter
