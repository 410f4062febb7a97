#include "base/unique_function.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <utility>

using district::UniqueFunction;

BOOST_AUTO_TEST_SUITE(unique_function)

BOOST_AUTO_TEST_CASE(it_holds_and_takes_what_cannot_be_copied) {
  UniqueFunction<int(std::unique_ptr<int>)> add =
      [held = std::make_unique<int>(40)](std::unique_ptr<int> more) { return *held + *more; };
  BOOST_TEST(add(std::make_unique<int>(2)) == 42);
  auto moved = std::move(add);
  BOOST_TEST(moved(std::make_unique<int>(3)) == 43);
}

BOOST_AUTO_TEST_CASE(what_it_holds_ends_with_it_and_not_before) {
  const auto alive = std::make_shared<int>();
  {
    UniqueFunction<void()> outer;
    BOOST_TEST(!outer);
    {
      UniqueFunction<void()> inner = [alive] {};
      BOOST_TEST(alive.use_count() == 2);
      outer = std::move(inner);
    }
    BOOST_TEST(bool(outer));
    outer();
    BOOST_TEST(alive.use_count() == 2);
  }
  BOOST_TEST(alive.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(it_may_change_what_it_holds) {
  UniqueFunction<std::string(char)> collect = [text = std::string()](char c) mutable {
    text += c;
    return text;
  };
  collect('a');
  BOOST_TEST(collect('b') == "ab");
}

BOOST_AUTO_TEST_SUITE_END()
