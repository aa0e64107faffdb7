/** All that the widget says. A page may add a language: Frontdesk.words("fr", { send: "Envoyer", … }). */
export const WORDS = {
  en: {
    title: "Chat with us", greeting: "Hello! How can we help you?", input: "Your message", send: "Send", close: "Close the chat",
    person: "Talk to a person", asked: "A person was asked for", bot: "Assistant", you: "You", menu: "More",
    waiting: "You are number {n} in the queue", away: "Nobody is here right now. Your message is kept and will be answered here.",
    agent: "{name} is answering", joined: "{name} has joined", back: "The assistant answers again", over: "This chat has ended",
    typing: "is typing", sources: "Sources", source: "Source {n}", page: "page {n}", up: "This helped", down: "This did not help",
    thanks: "Thank you!", comment: "What was missing?", more: "Anything to add?", ok: "Send", rate: "How satisfied are you?", stars: "{n} of 5", end: "End the chat",
    offline: "No connection. What you write is kept, and sent when it is back.", sending: "Sending…", failed: "Not sent.", again: "Try again",
    upload: "Send a file", soundOn: "Sound: on", soundOff: "Sound: off", mail: "E-mail this chat", address: "Your e-mail address",
    mailed: "The e-mail is on its way.", erase: "Delete my data", sure: "Everything said here is deleted for good. Delete?", yes: "Delete", no: "Keep",
    erased: "Your data has been deleted.", earlier: "Earlier messages", long: "{n} characters too many", answer: "Your answer",
    name: "Your name", email: "Your e-mail address", start: "Start", large: "The file is larger than {n} MB.", broken: "Something went wrong. Please try again.",
  },
  zh: {
    title: "在线客服", greeting: "您好！请问有什么可以帮您？", input: "输入消息", send: "发送", close: "关闭聊天",
    person: "转人工", asked: "已请求人工客服", bot: "智能客服", you: "您", menu: "更多",
    waiting: "您当前排在第 {n} 位", away: "目前不在服务时间。您的消息已保留，同事会在这里回复您。",
    agent: "{name} 正在为您服务", joined: "{name} 已加入", back: "智能客服继续为您服务", over: "会话已结束",
    typing: "正在输入", sources: "来源", source: "来源 {n}", page: "第 {n} 页", up: "有帮助", down: "没有帮助",
    thanks: "谢谢！", comment: "哪里没有帮到您？", more: "还想补充什么吗？", ok: "提交", rate: "您对本次服务满意吗？", stars: "{n} 星，共 5 星", end: "结束会话",
    offline: "暂时无法连接，您的消息已保留，恢复后会自动发送。", sending: "发送中…", failed: "未发送。", again: "重试",
    upload: "发送文件", soundOn: "声音：开", soundOff: "声音：关", mail: "将对话发到邮箱", address: "您的邮箱地址",
    mailed: "邮件正在发送。", erase: "删除我的数据", sure: "此处的所有内容将被永久删除，确定吗？", yes: "删除", no: "保留",
    erased: "您的数据已删除。", earlier: "更早的消息", long: "超出 {n} 个字", answer: "您的回答",
    name: "您的称呼", email: "您的邮箱地址", start: "开始", large: "文件超过 {n} MB。", broken: "出了点问题，请重试。",
  },
};

/** A speaker of the language: say("waiting", { n: 2 }). What a table lacks is said in English. */
export function speaker(language) {
  const base = language.toLowerCase().split("-")[0];
  const say = (name, values = {}) => {
    const text = WORDS[language]?.[name] ?? WORDS[base]?.[name] ?? WORDS.en[name];
    return text.replace(/\{(\w+)\}/g, (_, key) => values[key]);
  };
  return Object.assign(say, { language });
}
