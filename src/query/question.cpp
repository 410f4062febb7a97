#include "query/resource.h"

namespace district::query {

std::string Question::spell(Instant at) const {
  if (zone) return zone->date_time(at);
  const bool whole = at == std::chrono::floor<std::chrono::seconds>(at);
  return format_instant(at, whole ? 0 : 6);
}

Json Question::spell(const std::optional<Instant>& at) const {
  return at ? Json(spell(*at)) : Json(nullptr);
}

Result<std::optional<Instant>> Question::instant(std::string_view name) const {
  auto text = parameters.text(name);
  if (!text) return std::nullopt;
  constexpr std::size_t kDayLength = 10;  // 2018-03-25
  // A "+" in an offset that was not encoded has become a blank.
  std::ranges::replace(*text, ' ', '+');
  const bool is_day = text->size() == kDayLength;
  if (is_day && !parameters.text("zone")) {
    return fail(ErrorCode::admin_invalid,
                "which day '" + *text + "' is depends on the zone, and none is given",
                "add zone=UTC or zone=Europe/Madrid, or give an instant with its offset");
  }
  const auto found = zone ? zone->parse_day_or_instant(*text) : parse_day_or_instant(*text);
  if (found) return found;
  return fail(ErrorCode::admin_invalid,
              std::string(name) + "='" + *text + "' is neither a day nor an instant",
              "write 2018-03-01, or 2018-03-01T12:00:00Z, or 2018-03-01T12:00:00%2B01:00");
}

Result<Question::Span> Question::span() const {
  Span span;
  DISTRICT_TRY(span.from, instant("from"));
  DISTRICT_TRY(span.to, instant("to"));
  if (!span.from || !span.to || *span.from <= *span.to) return span;
  return fail(ErrorCode::admin_invalid, "from is later than to",
              "exchange them: from is the first that counts, to the first that does not");
}

Result<std::vector<std::string>> Question::tenants() const {
  const auto asked = parameters.text("tenant");
  if (!asked) return caller.tenants;
  if (caller.sees(*asked)) return std::vector{*asked};
  return fail(ErrorCode::not_found, "you see no tenant '" + *asked + "'",
              "GET /api/v1/tenants shows which");
}

}  // namespace district::query
