-- What searches of every module compare with. Texts are folded (`platform.fold`) where they are kept; terms are folded here.

-- A term as a LIKE pattern, wildcards taken literally. Folding comes first, because it can turn one character into another that LIKE
-- would read (a full-width percent sign).
create function platform.contains_pattern(term text) returns text
  language sql immutable parallel safe strict
  return '%' || regexp_replace(platform.fold(term), '([\\%_])', '\\\1', 'g') || '%';

-- A term as a regular expression: where a word begins. An index of trigrams keeps how words begin, and serves this from one letter on.
-- What stands before them is listed, and none of it lies beyond U+07FF: of a class with "no letter" or such a character in it the
-- index makes nothing, and is read whole. Folding makes plain ones of most others.
create function platform.begins_pattern(term text) returns text
  language sql immutable parallel safe strict
  return '(^|[][ \t\n\r!"#$%&''()*+,./:;<=>?@\\^_`{|}~\u00A0«»¿¡·-])'
    || regexp_replace(platform.fold(term), '([^[:alnum:]])', '\\\1', 'g');

-- Trigrams cannot find what is shorter than three characters, and in scripts that set no spaces (Chinese, Japanese,
-- Korean, Thai) a word is mostly two, and begins anywhere. Those characters, alone and in pairs, get an index of their own, which
-- costs texts in other scripts nothing but the test in its WHERE.
create function platform.has_dense_script(input text) returns boolean
  language sql immutable parallel safe strict
  return input ~ '[\u0E00-\u0E7F\u2E80-\u9FFF\uAC00-\uD7AF\uF900-\uFAFF\U00020000-\U0003FFFF]';

create function platform.dense_grams(input text) returns text[]
  language sql immutable parallel safe strict
  return array(
    select distinct gram
    from (
      select sign, lead(sign) over (order by place) as next
      from string_to_table(input, null) with ordinality as s(sign, place)) as signs,
      lateral (values (sign), (sign || next)) as g(gram)
    where platform.has_dense_script(sign) and gram !~ '\s');
