// The peer of the fan-out on node: the package ws, nothing deflated, encoded once.
const http = require("http"), {WebSocketServer} = require("ws");
const sockets = new WebSocketServer({noServer: true, perMessageDeflate: false});
let entry = 0;
const server = http.createServer((request, response) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => {
    const message = {type: "comment_added", id: ++entry, timestamp: new Date().toISOString(), data: JSON.parse(body)};
    const text = JSON.stringify(message);
    for (const socket of sockets.clients) socket.send(text);
    const answer = JSON.stringify({id: entry});
    response.writeHead(201, {"Content-Length": answer.length});
    response.end(answer);
  });
});
server.on("upgrade", (request, socket, head) => sockets.handleUpgrade(request, socket, head, () => {}));
server.listen(+process.argv[2], "127.0.0.1");
