"""Every word of the merchant's page, in English and Chinese. What the feed says is not here."""

from __future__ import annotations

from collections.abc import Mapping

from web.i18n.shop_messages import CHINESE, error_words, words_in

_WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Merchant’s desk", "商家工作台"),
    "language": ("Language", "语言"),
    "key": ("Key", "密钥"),
    "key_hint": (
        "A key with the scope “write”. It stays in this tab until you close it.",
        "需要具有 write 权限的密钥。它只保存在此标签页中，关闭即清除。",
    ),
    "bad_key": (
        "This key does not open the desk. Check it, or ask the shop’s operator for one with the scope “write”.",
        "此密钥无法打开工作台。请检查，或向店铺管理员索取具有 write 权限的密钥。",
    ),
    "open": ("Open the desk", "打开工作台"),
    "leave": ("Forget the key", "清除密钥"),
    "one": ("One listing", "单件商品"),
    "one_hint": (
        "1 to 7 pictures of one product, chosen or dropped here. A title, if you have one, helps.",
        "同一件商品的 1 至 7 张图片，可选择或拖放到此处。若有标题，建议会更准。",
    ),
    "pictures": ("Pictures", "图片"),
    "listing_title": ("Title, if there is one", "标题（可不填）"),
    "suggest": ("Suggest", "给出建议"),
    "many": ("Many listings", "批量商品"),
    "many_hint": (
        "A zip, or pictures, with a CSV if you have one: its column “image” names the pictures of a row;"
        " “id” and “title” are welcome. Choose them, or drop them here.",
        "一个 zip 文件，或多张图片；可附一份 CSV：image 列写该行的图片文件名，也可有 id 和 title 列。"
        "可选择或拖放到此处。",
    ),
    "files": ("Files", "文件"),
    "begin": ("Send and begin", "上传并开始"),
    "jobs": ("Jobs", "任务"),
    "no_jobs": (
        "No jobs yet. Send files, and their progress is shown here.",
        "还没有任务。上传文件后，进度会显示在这里。",
    ),
    "row_done": ("{done} of 1 row", "1 行中已完成 {done} 行"),
    "rows_done": ("{done} of {total} rows", "{total} 行中已完成 {done} 行"),
    "rows_failed": ("{n} failed", "{n} 行失败"),
    "rows_review": ("{n} to review", "{n} 行待审核"),
    "rows_decided": ("{n} decided", "{n} 行已处理"),
    "minutes_left": ("about {n} min left", "约剩 {n} 分钟"),
    "show": ("Review", "审核"),
    "cancel": ("Stop", "停止"),
    "go_on": ("Go on", "继续"),
    "delete": ("Delete", "删除"),
    "delete_sure": ("Delete this job? What was decided stays known.", "删除此任务？已作的决定会保留。"),
    "corrected": ("Table for review", "审核表格"),
    "corrected_hint": ("CSV of all rows", "全部行的 CSV"),
    "listings": ("Listings for the shop", "上架商品"),
    "listings_hint": ("CSV of accepted rows, for the feed", "已接受的行的 CSV，可直接导入店铺"),
    "sure_left": (
        "Sure, but not decided: {n}. Until they are accepted, the table has no category for them,"
        " and the shop’s listings leave them out.",
        "有把握但尚未处理：{n} 行。接受之前，表格中没有它们的类别，上架商品中也不含它们。",
    ),
    "accept_sure": ("Accept the {n} sure ones", "接受这 {n} 行"),
    "accept_sure_one": ("Accept the sure one", "接受这 1 行"),
    "untitled": ("Accepted without a title: {n}. The shop needs one.", "已接受但没有标题：{n} 行。店铺需要标题。"),
    "double_ids": (
        "With the id of an earlier row: {n}. Every listing needs its own.",
        "id 与前面的行重复：{n} 行。每件商品都要有自己的 id。",
    ),
    "which": ("Show", "显示"),
    "all": ("All rows", "全部"),
    "only_review": ("Needs review", "待审核"),
    "only_decided": ("Decided", "已处理"),
    "only_failed": ("Failed", "失败"),
    "accept_above": ("Accept all that are at least this sure, in %", "接受把握不低于此值（%）的全部"),
    "accept_all": ("Accept all", "全部接受"),
    "accept": ("Accept", "接受"),
    "decline": ("Decline", "不采用"),
    "undo": ("Undo", "撤销"),
    "undone_row": ("Undone: 1 row.", "已撤销 1 行。"),
    "undone_rows": ("Undone: {n} rows.", "已撤销 {n} 行。"),
    "accepted_row": ("Accepted: 1 row.", "已接受 1 行。"),
    "accepted_rows": ("Accepted: {n} rows.", "已接受 {n} 行。"),
    "nothing_to_undo": ("There is nothing to undo.", "没有可撤销的操作。"),
    "more": ("More rows", "更多"),
    "no_rows": ("There are no such rows.", "没有符合的行。"),
    "all_decided": (
        "Nothing is left to review. Download the table or the listings, or look at all rows.",
        "已全部审核。可下载审核表格或上架商品，也可查看全部行。",
    ),
    "none_unsure": (
        "No row needs a look; but rows that are sure are not decided yet.",
        "没有需要核对的行，但有把握的行尚未处理。",
    ),
    "keys": (
        "Keys: ↑ ↓ rows, Tab next field, ← → choose in it (on the row: the category), type to choose another,"
        " Enter accepts, Delete declines, U takes back.",
        "键盘：↑ ↓ 换行，Tab 下一栏，← → 在该栏中选择（在行上则选类别），直接输入可另选，"
        "Enter 接受，Delete 不采用，U 撤销。",
    ),
    "other": ("Another", "其他"),
    "other_for": ("Another for: {name}", "另选{name}"),
    "taken": ("Enter takes {value}", "Enter 选用 {value}"),
    "taken_new": ("{value} is new here", "{value} 是新值"),
    "make_new": (
        "{value} is new here. Press Enter or Accept again to make it.",
        "{value} 是新值。再按一次 Enter 或“接受”即可新建。",
    ),
    "row_title": ("Title", "标题"),
    "title_needed": ("Title (the shop needs one)", "标题（店铺需要）"),
    "take_words": ("Take these words", "采用这些词"),
    "unsure": ("Not sure: please look", "没有把握，请核对"),
    "sure_from": ("sure from {share}", "{share} 起有把握"),
    "only_parent": ("only {name} is sure", "只能确定是 {name}"),
    "price": ("Price", "价格"),
    "price_range": (
        "{low} to {high} {currency}. {level} of such products cost that.",
        "{low} 至 {high} {currency}。{level} 的同类商品价格在此区间。",
    ),
    "words": ("Words for the title", "标题用词"),
    "notes": ("About the pictures", "图片问题"),
    "note": ("Picture {n}: {words}", "图片 {n}：{words}"),
    "no_notes": ("Nothing to complain of.", "没有发现问题。"),
    "too_small": ("it is too small to show details.", "尺寸太小，看不清细节。"),
    "blank": ("there is nothing to be seen.", "画面是空白的。"),
    "blurred": ("it is blurred.", "画面模糊。"),
    "busy_background": (
        "the background is busy; a plain one shows the product better.",
        "背景杂乱，素色背景更能突出商品。",
    ),
    "text": ("there seems to be text, or a watermark, on it.", "似乎带有文字或水印。"),
    "not_a_product": ("it resembles nothing that the shop sells.", "与店内商品都不相像，可能不是商品。"),
    "duplicates": ("Perhaps listed already", "可能已经上架"),
    "no_duplicates": ("No listing that shows the same.", "没有发现相同的商品。"),
    "same_file": ("the same file", "同一文件"),
    "same_picture": ("the same picture", "同一图片"),
    "same_product": ("the same product, another view", "同一商品的另一角度"),
    "shared_picture": ("another variant, shown by the same picture", "另一款式，使用同一图片"),
    "repeats": ("Perhaps listed already: please look", "可能已经上架，请核对"),
    "row": ("row {n}", "第 {n} 件"),
    "line_row": ("line {line} of the table · row {n}", "表格第 {line} 行 · 第 {n} 件"),
    "same_id": ("Row {n} has the same id: {id}", "与第 {n} 件的 id 相同：{id}"),
    "alike": ("Look-alikes", "相似商品"),
    "receiving": ("sending", "上传中"),
    "cut_off": ("not sent whole", "未传完"),
    "not_begun": ("sent, but not begun", "已传完，尚未开始"),
    "waiting": (
        "waiting; a shop’s first job takes some minutes to begin",
        "等待中；店铺的第一个任务需要几分钟才能开始",
    ),
    "working": ("working", "处理中"),
    "done": ("done", "已完成"),
    "cancelled": ("stopped", "已停止"),
    "was_accepted": ("Accepted", "已接受"),
    "was_corrected": ("Corrected", "已更正"),
    "was_declined": ("Declined", "未采用"),
    "row_failed": ("Failed: {reason}", "失败：{reason}"),
    "packing": ("Packing: {n} of {total}", "正在打包：{n}/{total}"),
    "sending": ("Sending: {n} %", "正在上传：{n}%"),
    "thinking": ("Looking …", "正在识别…"),
    "unreachable": (
        "The shop cannot be reached. Check the connection and try again.",
        "无法连接商店。请检查网络后重试。",
    ),
    "no_files": ("Choose files first.", "请先选择文件。"),
    "no_folders": (
        "A folder cannot be dropped here. Drop its files, or zip it.",
        "不能拖放文件夹。请拖放其中的文件，或打包为 zip。",
    ),
    "table_alone": (
        "The table comes without pictures. Choose the pictures that it names, too.",
        "只选了表格，没有图片。请一并选择表格中写到的图片。",
    ),
    "zip_alone": ("A zip is sent alone. Put the other files into it.", "zip 文件须单独上传。请将其他文件放入其中。"),
    "no_use": ("None of these files is a picture, a CSV or a zip.", "所选文件中没有图片、CSV 或 zip。"),
    "only_pictures": ("One listing takes pictures alone.", "单件商品只接受图片。"),
    "too_many": (
        "{n} pictures are chosen. One listing takes at most {most}.",
        "已选择 {n} 张图片，单件商品最多 {most} 张。",
    ),
    "and_more": ("{name} + {n} more", "{name} 等，另有 {n} 个"),
    "picture_of": ("Picture of {name}", "{name} 的图片"),
}
_STATUSES = (400, 404, 413, 415, 503, 504)
_ERRORS = {"error_422": "这样做不行。", "error_507": "服务器磁盘空间不足。"}


def desk_words(language: str) -> dict[str, str]:
    """The page's words; in Chinese also what an error of a status is called, because the shop's own are English."""
    chinese = language == CHINESE
    errors = {f"error_{status}": "".join(error_words(status)) for status in _STATUSES}
    return words_in(_WORDS, language) | (errors | _ERRORS if chinese else {})
