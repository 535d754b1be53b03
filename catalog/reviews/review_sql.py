"""The statements of the review store that are longer than a line or used in several places."""

from __future__ import annotations

ONE = """SELECT number, product_id, rating, text, title, author, language, at, verified, state, reasons, photos,
    reply, reply_at, helpful, unhelpful
    FROM reviews WHERE number = ?"""
COUNT_OF_PRODUCT = """SELECT count(*) FROM reviews WHERE product_id = :product AND state = 'approved'
    AND (:rating = 0 OR rating = :rating)
    AND (NOT :verified OR verified = 1) AND (NOT :photos OR photos != '[]')
    AND (:language = '' OR language = :language)
    AND ((:aspect = '' AND :polarity = '') OR EXISTS (SELECT 1 FROM opinions AS o
        WHERE o.product_id = reviews.product_id AND o.number = reviews.number
        AND (:aspect = '' OR o.aspect = :aspect) AND (:polarity = '' OR o.polarity = :polarity)
        AND (:polarity != 'neutral' OR NOT EXISTS (SELECT 1 FROM opinions AS other
            WHERE other.product_id = o.product_id AND other.number = o.number AND other.aspect = o.aspect
            AND other.polarity != 'neutral'))))"""
# The inner query reads the index alone; only the reviews of the page are read as a whole.
OF_PRODUCT = """SELECT number, product_id, rating, text, title, author, language, at, verified, state, reasons, photos,
    reply, reply_at, helpful, unhelpful
    FROM (SELECT number AS chosen FROM reviews WHERE product_id = :product AND state = 'approved'
    AND (:rating = 0 OR rating = :rating)
    AND (NOT :verified OR verified = 1) AND (NOT :photos OR photos != '[]')
    AND (:language = '' OR language = :language)
    AND ((:aspect = '' AND :polarity = '') OR EXISTS (SELECT 1 FROM opinions AS o
        WHERE o.product_id = reviews.product_id AND o.number = reviews.number
        AND (:aspect = '' OR o.aspect = :aspect) AND (:polarity = '' OR o.polarity = :polarity)
        AND (:polarity != 'neutral' OR NOT EXISTS (SELECT 1 FROM opinions AS other
            WHERE other.product_id = o.product_id AND other.number = o.number AND other.aspect = o.aspect
            AND other.polarity != 'neutral'))))
    ORDER BY CASE :sort WHEN 'newest' THEN 0 WHEN 'highest' THEN -rating WHEN 'lowest' THEN rating
        ELSE unhelpful - helpful END, at DESC, number DESC LIMIT :k OFFSET :offset)
    CROSS JOIN reviews ON number = chosen"""
COUNT_IN_STATE = """SELECT count(*) FROM reviews WHERE state = :state AND (:product = '' OR product_id = :product)
    AND (:contains = '' OR instr(casefold(title || ' ' || text || ' ' || author || ' ' || product_id), :contains))"""
IN_STATE = """SELECT number, product_id, rating, text, title, author, language, at, verified, state, reasons, photos,
    reply, reply_at, helpful, unhelpful
    FROM reviews WHERE state = :state AND (:product = '' OR product_id = :product)
    AND (:contains = '' OR instr(casefold(title || ' ' || text || ' ' || author || ' ' || product_id), :contains))
    ORDER BY at * :order, number * :order LIMIT :k OFFSET :offset"""
OF_VISITOR = """SELECT number, product_id, rating, text, title, author, language, at, verified, state, reasons, photos,
    reply, reply_at, helpful, unhelpful
    FROM reviews WHERE visitor = ? ORDER BY at, number"""
APPROVED_TEXTS = """SELECT number, product_id, rating, text, title, author, language, at, verified, state, reasons,
    photos, reply, reply_at, helpful, unhelpful
    FROM reviews WHERE product_id = ? AND state = 'approved' ORDER BY helpful - unhelpful DESC, at DESC LIMIT ?"""
AFTER = """SELECT number, product_id, rating, text, title, author, language, at, verified, state, reasons, photos,
    reply, reply_at, helpful, unhelpful
    FROM reviews WHERE number > ? AND (? = '' OR state = ?) ORDER BY number LIMIT ?"""
OF_VISITOR_AND_PRODUCT = "SELECT number FROM reviews WHERE visitor = ? AND product_id = ?"
STATE_OF = "SELECT product_id, state FROM reviews WHERE number = ?"
SET_STATE = "UPDATE reviews SET state = ? WHERE number = ?"
LOG = "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?)"
DECISIONS = """SELECT at, CAST(number AS TEXT), product_id, state, reason, actor FROM decisions
    ORDER BY at DESC, rowid DESC LIMIT ?"""
SET_REPLY = "UPDATE reviews SET reply = ?, reply_at = ? WHERE number = ?"
WITH_KEY = "SELECT number, reply FROM reviews WHERE key = ?"
SET_VOTE = "INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?)"
REMOVE_VOTE = "DELETE FROM votes WHERE number = ? AND visitor = ?"
COUNT_VOTES = """UPDATE reviews SET
    helpful = (SELECT count(*) FROM votes WHERE votes.number = reviews.number AND votes.helpful = 1),
    unhelpful = (SELECT count(*) FROM votes WHERE votes.number = reviews.number AND votes.helpful = 0)
    WHERE number = ?"""
VOTES_OF = "SELECT number, helpful FROM votes WHERE visitor = ?"
COUNT_SUBMISSION = """INSERT INTO submissions VALUES (?, ?, 1)
    ON CONFLICT (visitor, day) DO UPDATE SET count = count + 1 RETURNING count"""
REMOVE_OLD_SUBMISSIONS = "DELETE FROM submissions WHERE day < ?"
# Whether somebody may see a photo who has only its address.
SHOWN_PHOTO = """SELECT 1 FROM photos AS p JOIN reviews AS r ON r.number = p.number
    WHERE p.sha256 = ? AND r.state = 'approved' LIMIT 1"""
ANY_PHOTO = "SELECT 1 FROM photos WHERE sha256 = ? LIMIT 1"
PHOTOS_OF_PRODUCT = """SELECT p.sha256, CAST(r.number AS TEXT) FROM reviews AS r JOIN photos AS p ON p.number = r.number
    WHERE r.product_id = ? AND r.state = 'approved' AND r.photos != '[]' ORDER BY r.at DESC LIMIT ?"""
SHOWN_PHOTOS = """SELECT p.sha256, CAST(r.number AS TEXT), r.product_id FROM reviews AS r JOIN photos AS p
    ON p.number = r.number WHERE r.state = 'approved' AND r.photos != '[]' ORDER BY r.at DESC, p.sha256 LIMIT ?"""
OPINIONS = """SELECT o.product_id, CAST(o.number AS TEXT), r.at, o.aspect, o.polarity, o.probability,
    substr(r.text, o.start + 1, o.end - o.start), r.rating
    FROM reviews AS r CROSS JOIN opinions AS o ON o.product_id = r.product_id AND o.number = r.number
    WHERE r.state = 'approved' AND r.at >= ? AND r.at < ?"""
OVERVIEW = """SELECT (SELECT count(*) FROM reviews WHERE state = 'pending'),
    (SELECT count(*) FROM reviews WHERE state = 'approved'), (SELECT count(*) FROM reviews WHERE state = 'rejected'),
    (SELECT count(*) FROM summaries), (SELECT count(*) FROM reviews WHERE analysed = '' AND state != 'rejected'),
    (SELECT count(*) FROM votes), (SELECT count(DISTINCT sha256) FROM photos)"""
