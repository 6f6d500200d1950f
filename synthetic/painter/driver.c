/* Walks rays through the parts' distance fields and lights what they hit.
 *
 * One call paints one square picture. Tiles of 32x32 pixels; the list of rays still walking is compacted at each
 * step, so every kernel runs over full vectors. `view` maps pixel (i+.5, j+.5) to the image plane at distance 1:
 * u = view[0] i + view[1] j + view[2], v = view[3] i + view[4] j + view[5]; the camera is at (eye[0], eye[1], eye[2])
 * and looks along -z. Outputs are planar: energy, mirror, albedo (3 planes each), part (int8, -1 = nothing).
 */
#define TILE 32
#define BLOCK 1024
typedef float block[BLOCK];
enum { SKIN, EYES, HAIR, CLOTHES, GLASSES, COVER, THINGS };

static void nearer(float *d, signed char *part, const float *other, int code, int n) {
  if (part) {
    for (int i = 0; i < n; i++) if (other[i] < d[i]) { d[i] = other[i]; part[i] = (signed char)code; }
  } else {
    for (int i = 0; i < n; i++) d[i] = other[i] < d[i] ? other[i] : d[i];
  }
}

/* Distance to everything; with `part` also which part is nearest. `fine` adds strands, knit and age lines. */
static void scene(const float *P, const float *x, const float *y, const float *z, float *d, signed char *part,
                  int fine, int n) {
  block other;
  if (fine) fine_skin(P, x, y, z, d, n); else dist_skin(P, x, y, z, d, n);
  if (part) for (int i = 0; i < n; i++) part[i] = SKIN;
#define ADD(kernel, code) { if (fine) fine_##kernel(P, x, y, z, other, n); else dist_##kernel(P, x, y, z, other, n); \
                            nearer(d, part, other, code, n); }
  ADD(eyes, EYES)
  if (P[P_H_OFF] < .5f && P[P_COVER] < .5f) ADD(hair, HAIR)
  float lowest = 1e9f;
  for (int i = 0; i < n; i++) lowest = y[i] < lowest ? y[i] : lowest;
  if (lowest < -.2f) ADD(clothes, CLOTHES)  /* clothes end at y = -.7: above this a bound on the distance will do */
  else { for (int i = 0; i < n; i++) other[i] = y[i] + .7f; nearer(d, part, other, CLOTHES, n); }
  if (P[P_G_ON] > .5f || P[P_SHADES] > .5f) ADD(glasses, GLASSES)
  if (P[P_COVER] > .5f) ADD(cover, COVER)
  if (P[P_AID] > .5f && P[P_COVER] < .5f) ADD(aid, THINGS)
  if (P[P_RING_ON] > .5f && P[P_COVER] < .5f) ADD(ring, THINGS + 1)
}

static void soft_shadow(const float *P, const float *x, const float *y, const float *z, const float *nx,
                        const float *ny, const float *nz, float *res, int steps, int n) {
  block qx, qy, qz, d, t;
  int id[BLOCK], m = 0;
  float lx = P[P_KLX], ly = P[P_KLY], lz = P[P_KLZ];
  for (int i = 0; i < n; i++) {
    t[i] = .03f; res[i] = 0;
    if (nx[i] * lx + ny[i] * ly + nz[i] * lz > -.45f) { res[i] = 1; id[m++] = i; }
  }
  for (int k = 0; k < steps && m > 0; k++) {
    for (int j = 0; j < m; j++) {
      int i = id[j];
      qx[j] = x[i] + nx[i] * .03f + lx * t[i]; qy[j] = y[i] + ny[i] * .03f + ly * t[i];
      qz[j] = z[i] + nz[i] * .03f + lz * t[i];
    }
    scene(P, qx, qy, qz, d, 0, 0, m);
    int left = 0;
    for (int j = 0; j < m; j++) {
      int i = id[j];
      float h = d[j], r = 6.f * h / t[i];
      res[i] = r < res[i] ? r : res[i];
      t[i] += h < .03f ? .03f : (h > .40f ? .40f : h);
      /* In front of every nose and above every bun there is nothing more to meet. */
      int out = (lz > 0 && qz[j] > 1.30f) || (ly > 0 && qy[j] > 1.85f);
      if (res[i] > .01f && t[i] < 2.6f && !out) id[left++] = i;
    }
    m = left;
  }
  for (int i = 0; i < n; i++) { float r = res[i] < 0 ? 0 : (res[i] > 1 ? 1 : res[i]); res[i] = r * r * (3 - 2 * r); }
}

static void normals(const float *P, const float *x, const float *y, const float *z, float *nx, float *ny, float *nz,
                    int n) {
  static const float sign[4][3] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}};
  block qx, qy, qz, d;
  const float e = .005f;
  for (int i = 0; i < n; i++) nx[i] = ny[i] = nz[i] = 0;
  for (int k = 0; k < 4; k++) {
    for (int i = 0; i < n; i++) { qx[i] = x[i] + sign[k][0] * e; qy[i] = y[i] + sign[k][1] * e; qz[i] = z[i] + sign[k][2] * e; }
    scene(P, qx, qy, qz, d, 0, 1, n);
    for (int i = 0; i < n; i++) { nx[i] += sign[k][0] * d[i]; ny[i] += sign[k][1] * d[i]; nz[i] += sign[k][2] * d[i]; }
  }
  for (int i = 0; i < n; i++) {
    float l = 1.f / sqrtf(nx[i] * nx[i] + ny[i] * ny[i] + nz[i] * nz[i] + 1e-14f);
    nx[i] *= l; ny[i] *= l; nz[i] *= l;
  }
}

static void occlusion(const float *P, const float *x, const float *y, const float *z, const float *nx, const float *ny,
                      const float *nz, float *ao, int n) {
  static const float height[4] = {.05f, .12f, .26f, .5f}, weight[4] = {2.f, 1.2f, .70f, .32f};
  block qx, qy, qz, d;
  for (int i = 0; i < n; i++) ao[i] = 0;
  for (int k = 0; k < 4; k++) {
    for (int i = 0; i < n; i++) { qx[i] = x[i] + nx[i] * height[k]; qy[i] = y[i] + ny[i] * height[k]; qz[i] = z[i] + nz[i] * height[k]; }
    scene(P, qx, qy, qz, d, 0, 0, n);
    for (int i = 0; i < n; i++) { float q = height[k] - d[i]; ao[i] += (q > 0 ? q : 0) * weight[k]; }
  }
  for (int i = 0; i < n; i++) ao[i] = power_e(-1.1f * ao[i]);
}

/* One cone for each 4x4 pixels walks as far as nothing is inside it: its rays start there, or not at all.
 * `pixel` is the width of a pixel at distance 1. `t` holds the start, or a value beyond `far`. */
static void walk_cones(const float *P, const float *eye, const float *dx, const float *dy, const float *dz, float *t,
                       int columns, int n, float pixel, float far) {
  block x, y, z, d, ct;
  int centre[BLOCK], id[BLOCK], rows = n / columns, m = 0, cones = 0, wide = (columns + 3) / 4;
  for (int j = 0; j < rows; j += 4)
    for (int i = 0; i < columns; i += 4) {
      int cj = j + 2 < rows ? j + 2 : rows - 1, ci = i + 2 < columns ? i + 2 : columns - 1;
      centre[cones] = cj * columns + ci; ct[cones] = eye[2] - 1.75f; id[m++] = cones++;
    }
  for (int k = 0; k < 40 && m > 0; k++) {
    for (int i = 0; i < m; i++) {
      int r = centre[id[i]];
      float s = ct[id[i]];
      x[i] = eye[0] + dx[r] * s; y[i] = eye[1] + dy[r] * s; z[i] = eye[2] + dz[r] * s;
    }
    scene(P, x, y, z, d, 0, 0, m);
    int left = 0;
    for (int i = 0; i < m; i++) {
      int c = id[i];
      float room = .75f * d[i] - 3.7f * pixel * ct[c];
      if (room < .01f) continue;
      ct[c] += room;
      if (ct[c] < far) id[left++] = c;
    }
    m = left;
  }
  for (int i = 0; i < n; i++) t[i] = ct[(i / columns / 4) * wide + (i % columns) / 4];
}

/* Walks one tile's rays (rows of `columns`); returns how many hit, with their ray numbers and distances. */
static int walk(const float *P, const float *eye, const float *dx, const float *dy, const float *dz, float *t,
                int *hit, int steps, int columns, int n, float pixel) {
  block x, y, z, d;
  int id[BLOCK], hits = 0, m = 0;
  float far = eye[2] + 1.4f;
  walk_cones(P, eye, dx, dy, dz, t, columns, n, pixel, far);
  for (int i = 0; i < n; i++) if (t[i] < far) id[m++] = i;
  for (int k = 0; k < steps && m > 0; k++) {
    for (int i = 0; i < m; i++) {
      int r = id[i];
      x[i] = eye[0] + dx[r] * t[r]; y[i] = eye[1] + dy[r] * t[r]; z[i] = eye[2] + dz[r] * t[r];
    }
    scene(P, x, y, z, d, 0, 0, m);
    int left = 0;
    for (int i = 0; i < m; i++) {
      int r = id[i];
      if (d[i] < .002f || (k == steps - 1 && d[i] < .03f)) { hit[hits++] = r; continue; }
      t[r] += d[i] * .80f;
      if (t[r] < far) id[left++] = r;
    }
    m = left;
  }
  return hits;
}

typedef void (*painter)(const float *, const float *, const float *, const float *, const float *, const float *,
                        const float *, const float *, const float *, const float *, const float *, const float *,
                        float *, float *, float *, float *, float *, float *, float *, float *, float *, int);

void paint(const float *P, const float *eye, const float *view, int width, int height, float *energy, float *mirror,
           float *albedo, signed char *part, int steps, int shadow_steps) {
  static const painter painters[8] = {paint_skin, paint_eyes, paint_hair, paint_clothes, paint_glasses, paint_cover,
                                      paint_aid, paint_ring};
  int total = width * height, across = (width + TILE - 1) / TILE, down = (height + TILE - 1) / TILE;
#pragma omp parallel for schedule(dynamic, 1)
  for (int tile = 0; tile < across * down; tile++) {
    int x0 = (tile % across) * TILE, y0 = (tile / across) * TILE, n = 0, pixel[BLOCK], hit[BLOCK];
    block dx, dy, dz, t;
    for (int j = y0; j < y0 + TILE && j < height; j++)
      for (int i = x0; i < x0 + TILE && i < width; i++) {
        float a = i + .5f, b = j + .5f;
        float u = view[0] * a + view[1] * b + view[2], v = view[3] * a + view[4] * b + view[5];
        float l = 1.f / sqrtf(u * u + v * v + 1);
        dx[n] = u * l; dy[n] = v * l; dz[n] = -l; pixel[n] = j * width + i; n++;
      }
    for (int i = 0; i < n; i++) {
      for (int c = 0; c < 3; c++) energy[c * total + pixel[i]] = mirror[c * total + pixel[i]] = albedo[c * total + pixel[i]] = 0;
      part[pixel[i]] = -1;
    }
    int columns = x0 + TILE < width ? TILE : width - x0;
    int hits = walk(P, eye, dx, dy, dz, t, hit, steps, columns, n, sqrtf(view[0] * view[0] + view[3] * view[3]));
    if (!hits) continue;
    block in[11], d;
    signed char which[BLOCK];
    for (int i = 0; i < hits; i++) {
      int r = hit[i];
      in[0][i] = eye[0] + dx[r] * t[r]; in[1][i] = eye[1] + dy[r] * t[r]; in[2][i] = eye[2] + dz[r] * t[r];
      in[6][i] = -dx[r]; in[7][i] = -dy[r]; in[8][i] = -dz[r];
    }
    normals(P, in[0], in[1], in[2], in[3], in[4], in[5], hits);
    soft_shadow(P, in[0], in[1], in[2], in[3], in[4], in[5], in[9], shadow_steps, hits);
    occlusion(P, in[0], in[1], in[2], in[3], in[4], in[5], in[10], hits);
    scene(P, in[0], in[1], in[2], d, which, 0, hits);
    for (int code = 0; code < 8; code++) {
      block only[11], out[9];
      int id[BLOCK], m = 0;
      for (int i = 0; i < hits; i++) if (which[i] == code) { for (int c = 0; c < 11; c++) only[c][m] = in[c][i]; id[m++] = i; }
      if (!m) continue;
      painters[code](P, only[0], only[1], only[2], only[3], only[4], only[5], only[6], only[7], only[8], only[9],
                     only[10], out[0], out[1], out[2], out[3], out[4], out[5], out[6], out[7], out[8], m);
      for (int i = 0; i < m; i++) {
        int p = pixel[hit[id[i]]];
        part[p] = (signed char)(code > THINGS ? THINGS : code);
        for (int c = 0; c < 3; c++) {
          energy[c * total + p] = out[c][i]; mirror[c * total + p] = out[3 + c][i]; albedo[c * total + p] = out[6 + c][i];
        }
      }
    }
  }
}
