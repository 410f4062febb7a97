// Characters of text: which of them are seen, and how to show those that are not.
// Source: Unicode 15, general categories Cc, Cf, Zl, Zp, Zs, Co and Cs, and
// Default_Ignorable_Code_Point.
#pragma once

#include <string>
#include <string_view>

namespace district {

// C0, DEL and C1.
constexpr bool is_control(char32_t c) { return c < 0x20 || (c >= 0x7F && c <= 0x9F); }

// Takes no room or changes the direction of what follows: zero-width characters, bidirectional
// controls, byte order marks, tags; and the separators of lines and paragraphs.
bool is_format(char32_t c);

// Looks like a blank and is none, or looks like nothing: no-break, thin and wide spaces, fillers,
// and whatever is_format() holds for.
bool is_unseen(char32_t c);

// Cannot be seen, or changes how the rest is seen: controls, whatever is_format() holds for,
// characters that are ignored by default (variation selectors, tags, fillers), private use and
// noncharacters. Blanks of any width are not among them.
bool is_hidden(char32_t c);

// "U+00A0", with its name where people are likely to meet it: "U+00A0, a no-break space".
std::string describe(char32_t c);

// For people to read: controls, format characters and broken octets become "\u{1B}" and "\x{FF}";
// blanks that are not U+0020 too. What a peer wrote cannot drive a terminal that way.
std::string visible(std::string_view text);

// Two names with the same outline look alike: without unseen characters, with single blanks, in
// lower case (ASCII).
std::string outline_of(std::string_view name);

}  // namespace district
